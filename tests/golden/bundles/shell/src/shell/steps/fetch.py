import subprocess


def fetch():
    """Fetch."""
    folder = "texts"
    subprocess.run(f"mkdir -p {folder}", shell=True, check=True)
    subprocess.run(f"echo 'one two two' > {folder}/a.txt", shell=True, check=True)

    subprocess.run(
        ["bash"],
        input="""\
# a second text
echo 'two three' > texts/b.txt
""",
        text=True,
        check=True,
    )
    return folder
