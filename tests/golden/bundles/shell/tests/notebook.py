"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

import subprocess
import os

# %% cell 1: Fetch
folder = 'texts'
subprocess.run(f'mkdir -p {folder}', shell=True, check=True)
subprocess.run(f"echo 'one two two' > {folder}/a.txt", shell=True, check=True)

# %% cell 2: Fetch
subprocess.run(['bash'], input="""\
# a second text
echo 'two three' > texts/b.txt
""", text=True, check=True)

# %% cell 3: Count
from collections import Counter
from pathlib import Path
from shell.scripts.counting import words_of

# %% cell 4: Count
os.environ['LC_ALL'] = 'C'
names = subprocess.run(f'ls {folder}', shell=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()
words = Counter(word for name in names for word in words_of(Path(folder) / name))

# %% cell 5: Report
top = words.most_common(1)[0]
length = sum(words.values())
