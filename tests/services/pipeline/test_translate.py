"""What each magic of IPython becomes: Python, nothing, or one line that says why it cannot be kept."""
# ruff: noqa: E501 (a table: one row a line)

from __future__ import annotations

import doctest
from dataclasses import dataclass

import pytest
from ipykernel.zmqshell import KernelMagics
from IPython.core.interactiveshell import InteractiveShell

from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.services.pipeline.magics import shell_rules
from mlops_jupyter.services.pipeline.magics.magic_rules import CELLS, KEEPS_BODY, LINES
from mlops_jupyter.services.pipeline.magics.translate import translate
from mlops_jupyter.services.pipeline.magics.translation import CellContext
from mlops_jupyter.surfaces.magics.bundle_code import BundleTranslator


@dataclass(frozen=True)
class Case:
    """A cell and the Python it becomes, or `refused`, the end of the line that refuses it; `lost` names are not bound."""

    name: str
    body: str
    python: str = ""
    refused: str = ""
    lost: str = ""
    reads: str = "a b folder"
    writes: str = ""
    mutated: str = ""


def shown(*names: str) -> tuple[Case, ...]:
    return tuple(Case(f"{name} only shows", f"%{name} some words\nx = 1", "x = 1\n") for name in names)


CASES = (
    *shown("alias", "alias_magic", "autoawait", "autocall", "automagic", "autoreload", "bookmark", "cat", "clear", "colors", "config"),
    *shown("connect_info", "dhist", "dirs", "doctest_mode", "gui", "hist", "history", "killbgscripts", "ldir", "less", "lf", "lk", "ll"),
    *shown("load", "load_ext", "loadpy", "logoff", "logon", "logstart", "logstate", "logstop", "ls", "lsmagic", "lx", "magic", "man"),
    *shown("matplotlib", "mem", "memit", "more", "notebook", "page", "pastebin", "pdb", "pdef", "pdoc", "pfile", "pinfo", "pinfo2"),
    *shown("pprint", "psearch", "psource", "pycat", "qtconsole", "quickref", "recall", "rehashx", "reload_ext", "rep", "reset"),
    *shown("reset_selective", "subshell", "tb", "timeit", "unalias", "unload_ext", "who", "who_ls", "whos", "xmode", "autosave"),
    Case("a list of names is not there", "x = %who_ls", lost="x"),
    Case("a magic in a block", "if a:\n    %matplotlib inline\n", "if a:\n    pass\n"),
    Case("in a block, over lines", "if a:\n    %env A=1\n    %xmode\n", "if a:\n    os.environ['A'] = '1'\n    pass\n"),
    Case("help", "a?\n?b\na.c??", "\n"),
    Case("code_wrap", "%code_wrap before f()", refused="changes how every cell after it runs"),
    Case("code_wrap over a cell", "%%code_wrap x\nf()", refused="changes how every cell after it runs"),
    Case("ed", "%ed", refused="runs what was typed in an editor"),
    Case("edit", "%edit f.py", refused="runs what was typed in an editor"),
    Case("macro", "%macro m 1-3", refused="makes a macro of earlier input"),
    Case("popd", "%popd", refused="goes to a directory that IPython remembers"),
    Case("pylab", "%pylab inline", refused="binds hundreds of names"),
    Case("rerun", "%rerun 1", refused="runs earlier input again"),
    Case("save", "%save f.py 1-3", refused="writes earlier input to a file"),
    Case("sc", "%sc x=ls", refused="is out of use: write `name = !command`"),
    Case("unknown", "%foo bar", refused="cell 7, line 1: %foo has no meaning outside IPython; write it in Python, take it out, or export with --allow-ipython"),
    Case("unknown, further down", "x = 1\n\ny = %foo", refused="cell 7, line 3: %foo has no meaning outside IPython"),
    Case("unknown over a cell", "%%foo\nbar", refused="cell 7, line 1: %%foo has no meaning outside IPython"),
    # code
    Case("time", "%time x = f(a)", "x = f(a)\n"),
    Case("time's answer", "x = %time f(a)", "x = f(a)\n"),
    Case("time of nothing", "%time", "\n"),
    Case("time of a shell line", "%time !ls", refused="runs what is not plain Python"),
    Case("prun", "%prun -l 10 x = f(a)", "x = f(a)\n"),
    Case("lprun", "%lprun -f f f(a)", "f(a)\n"),
    Case("mprun", "%mprun -f f f(a)", "f(a)\n"),
    Case("debug", "%debug", "\n"),
    Case("debug of code", "%debug x = f(a)", "x = f(a)\n"),
    Case("timeit changes nothing", "%timeit -n 3 f(a)\nx = 1", "x = 1\n"),
    Case("timeit's answer", "t = %timeit -o f(a)", lost="t"),
    Case("timeit appends", "%timeit a.append(1)", refused="%timeit changes 'a' an unknown number of times: measure a copy of it", mutated="a", writes="a"),
    Case("timeit over a cell", "%%timeit\nf(a)", "\n"),
    Case("memit over a cell", "%%memit\nf(a)", "\n"),
    Case("time over a cell", "%%time\n\nx = f(a)\n", "\nx = f(a)\n"),
    Case("prun over a cell", "%%prun -q\nx = f(a)", "x = f(a)\n"),
    Case("lprun over a cell", "%%lprun\nx = f(a)", "x = f(a)\n"),
    Case("mprun over a cell", "%%mprun\nx = f(a)", "x = f(a)\n"),
    Case("debug over a cell", "%%debug\nx = f(a)", "x = f(a)\n"),
    Case("capture", "%%capture\nx = 1", "x = 1\n"),
    Case("capture kept", "%%capture --no-stderr out\nx = 1", "x = 1\n", lost="out"),
    Case("stacked", "%%capture\n%%time\nx = 1", "x = 1\n"),
    Case("call of arguments", "/f a b", "f(a, b)\n"),
    Case("call of words", ",f a b", "f('a', 'b')\n"),
    Case("call of one text", ";f a b", "f('a b')\n"),
    Case("aimport", "%aimport json, -os", "import json\n"),
    Case("xdel", "%xdel a", "del a\n"),
    Case("store", "%store a b", "\n"),
    Case("store back", "%store -r a", refused="-r takes values that another notebook kept in IPython"),
    Case("store to a file", "%store a > f.txt", refused="writes a value to a file as text"),
    Case("precision, of what is shown", "%precision 3", "\n"),
    Case("precision, of numpy", "%precision %.3f", "numpy.set_printoptions(precision=3)\n", writes="~numpy.printoptions"),
    # files, folders, environment
    Case("env", "%env", "\n"),
    Case("env shown", "%env HOME", "\n"),
    Case("env asked", "x = %env HOME", "x = os.environ['HOME']\n"),
    Case("env copied", "x = %env", lost="x"),
    Case("env set", "%env A=1 2", "os.environ['A'] = '1 2'\n"),
    Case("env set by a space", "%env A b=c", "os.environ['A'] = 'b=c'\n"),
    Case("env set to a value", "%env A=$a", "os.environ['A'] = f'{a}'\n"),
    Case("env set to an expression", "%env A={a + 1}/x", "os.environ['A'] = f'{a + 1}/x'\n"),
    Case("set_env", "%set_env A 1", "os.environ['A'] = '1'\n"),
    Case("cd", "%cd data/raw", "os.chdir('data/raw')\n"),
    Case("cd quietly", "%cd -q 'my data'", "os.chdir('my data')\n"),
    Case("cd to a value", "%cd {folder}", "os.chdir(f'{folder}')\n"),
    Case("cd home", "%cd", "os.chdir(os.path.expanduser('~'))\n"),
    Case("cd below home", "%cd ~/x", "os.chdir(os.path.expanduser('~/x'))\n"),
    Case("cd back", "%cd -", refused="%cd - goes to a directory that IPython remembers: write its path"),
    Case("cd to a bookmark", "%cd -b x", refused="%cd -b x goes to a directory that IPython remembers"),
    Case("pushd", "%pushd x", "os.chdir('x')\n"),
    Case("pwd", "%pwd", "\n"),
    Case("pwd asked", "x = %pwd", "x = os.getcwd()\n"),
    Case("mkdir", "%mkdir -p $folder", "subprocess.run(f'mkdir -p {folder}', shell=True, check=True)\n"),
    Case("rmdir", "%rmdir x", "subprocess.run('rmdir x', shell=True, check=True)\n"),
    Case("cp", "%cp a b", "subprocess.run('cp a b', shell=True, check=True)\n"),
    Case("mv", "%mv a b", "subprocess.run('mv a b', shell=True, check=True)\n"),
    Case("rm", "%rm a", "subprocess.run('rm a', shell=True, check=True)\n"),
    Case("writefile", "%%writefile x.txt\none\ntwo\n", "Path('x.txt').write_text(\"\"\"\\\none\ntwo\n\"\"\", encoding='utf-8')\n"),
    Case("file", "%%file {folder}/x.txt\none", "Path(f'{folder}/x.txt').write_text('one', encoding='utf-8')\n"),
    Case("writefile after", "%%writefile -a x.txt\none\\n\n", "with Path('x.txt').open('a', encoding='utf-8') as _file:\n    _file.write('one\\\\n\\n')\n"),
    Case("pip", "%pip install a>=1 -q", "\n"),
    Case("conda", "%conda install a", "\n"),
    Case("mamba", "%mamba install a", "\n"),
    Case("micromamba", "%micromamba install a", "\n"),
    Case("uv", "%uv pip install a", "\n"),
    # other programs
    Case("shell", "!ls -la", "subprocess.run('ls -la', shell=True, check=True)\n"),
    Case("shell kept", "x = !ls", "x = subprocess.run('ls', shell=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()\n"),
    Case("shell reads", "!cp {a} $b/x $HOME $$c", "subprocess.run(f'cp {a} {b}/x $HOME $c', shell=True, check=True)\n"),
    Case("shell's own braces", "!awk '{print $1}' x", "subprocess.run(\"awk '{print $1}' x\", shell=True, check=True)\n"),
    Case("shell's own braces, kept from IPython", "!awk '{{print $1}}' {a}", "subprocess.run(f\"awk '{{print $1}}' {a}\", shell=True, check=True)\n"),
    Case("shell with both quotes", "!echo \"it's\" {a['k']}", "subprocess.run('echo \"it\\'s\" {}'.format(a['k']), shell=True, check=True)\n"),
    Case("shell with a format", "!echo {a:.2f} {b!r}", "subprocess.run(f'echo {a:.2f} {b!r}', shell=True, check=True)\n"),
    Case("shell installs", "!pip install -q a b", "\n"),
    Case("shell installs by python", "!python -m pip install a", "\n"),
    Case("sx", "x = %sx ls", "x = subprocess.run('ls', shell=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()\n"),
    Case("system", "%system ls", "subprocess.run('ls', shell=True, check=True)\n"),
    Case("sx over a cell", "%%sx\nls\n", "subprocess.run('ls\\n', shell=True, check=True)\n"),
    Case("system over a cell", "%%system\nls\n", "subprocess.run('ls\\n', shell=True, check=True)\n"),
    Case("! over a cell", "%%!\nls\n", "subprocess.run('ls\\n', shell=True, check=True)\n"),
    Case("bash", "%%bash\nls\n", 'subprocess.run([\'bash\'], input="""\\\nls\n""", text=True, check=True)\n'),
    Case("bash that may fail", "%%bash --no-raise-error\nls", "subprocess.run(['bash'], input='ls', text=True, check=False)\n"),
    Case("bash with arguments", "%%bash -s one\nls", "subprocess.run(['bash', '-s', 'one'], input='ls', text=True, check=True)\n"),
    Case("bash kept", "%%bash --out x\nls", "x = subprocess.run(['bash'], input='ls', text=True, check=True, stdout=subprocess.PIPE).stdout\n"),
    Case("bash kept twice", "%%bash --out x --err y\nls", "_ran = subprocess.run(['bash'], input='ls', text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)\nx = _ran.stdout\ny = _ran.stderr\n"),
    Case("bash in the background", "%%bash --bg\nls", refused="in the background goes on after its cell"),
    Case("bash with a process", "%%bash --proc p\nls", refused="in the background goes on after its cell"),
    Case("bash given values", "%%bash -s {a} \"$b\"\nls", """subprocess.run(['bash', *shlex.split(f'-s {a} "{b}"')], input='ls', text=True, check=True)\n"""),
    Case("bash given its own variable", "%%bash -s $HOME\nls", "subprocess.run(['bash', '-s', '$HOME'], input='ls', text=True, check=True)\n"),
    Case("bash given values, kept", "%%bash --out x -s $a\nls", refused="names its program when it runs"),
    Case("script", "%%script python -u\nprint(1)", "subprocess.run(['python', '-u'], input='print(1)', text=True, check=True)\n"),
    Case("script of a value", "%%script $a\nprint(1)", refused="names its program when it runs"),
    *(Case(f"%%{name}", f"%%{name}\n1", f"subprocess.run(['{name}'], input='1', text=True, check=True)\n") for name in ("perl", "pypy", "python", "python2", "python3", "ruby", "sh")),
    *(Case(f"%%{name}", f"%%{name}\n1", "\n") for name in ("HTML", "SVG", "html", "javascript", "js", "latex", "markdown", "svg")),
    Case("run of nothing", "%run", refused="%run : no file is named"),
    Case("run of what is gone", "%run gone.py", refused="%run gone.py: that file is no longer there"),
    Case("run in a debugger", "%run -d gone.py", refused="%run -d has no meaning outside IPython: run the file without it"),
    Case("run of a module", "%run -m json.tool", refused="%run -m has no meaning outside IPython"),
    Case("run of a value", "%run {a}", refused="is known only when it runs: write the names themselves"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_case(case: Case, tmp_path: object) -> None:
    writes = dict.fromkeys(case.writes.split(), "?")
    execution = Execution(ExecutionId(0), case.body, case.body, reads=frozenset(case.reads.split()), writes=writes, mutated=frozenset(case.mutated.split()))  # fmt: skip
    site = CellContext(execution, "cell 7", tmp_path)  # type: ignore[arg-type]
    if case.refused:
        with pytest.raises(UserError) as caught:
            translate(BundleTranslator(), site)
        assert case.refused in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
        return
    done = translate(BundleTranslator(), site)
    assert done.text == (case.python or "\n")
    assert set(done.lost) == set(case.lost.split())
    extract_facts(done.text)  # it is Python


def test_every_magic_has_its_rule() -> None:
    """IPython's own, the kernel's, and those of its storemagic and autoreload extensions."""
    shell = InteractiveShell()
    shell.register_magics(KernelMagics)
    for extension in ("storemagic", "autoreload"):
        shell.run_line_magic("load_ext", extension)
    shipped = shell.magics_manager.lsmagic()
    assert set(shipped["line"]) - LINES.keys() == set()
    assert set(shipped["cell"]) - CELLS.keys() - KEEPS_BODY == set()
    tried = {
        word for case in CASES for word in case.body.replace("%%", "%").replace("%", " %").split() if word[0] == "%"
    }
    assert {f"%{name}" for name in (*LINES, *CELLS, *KEEPS_BODY) if name.isidentifier()} - tried - {
        "%autoindent"
    } == set()


def test_what_is_asked_for_is_required() -> None:
    body = "%pip install -q a>=1 'b'\n!pip install c\n%uv pip install d"
    assert translate(BundleTranslator(), CellContext(Execution(ExecutionId(0), body, body), "cell 1")).requirements == (
        "a>=1",
        "b",
        "c",
        "d",
    )


def test_random_numbers_in_a_measurement_are_told_of() -> None:
    body = "%timeit rng()"
    execution = Execution(ExecutionId(0), body, body, writes={"~numpy.random": "state"})
    assert "drew random numbers" in translate(BundleTranslator(), CellContext(execution, "cell 1")).notes[0]


def test_examples() -> None:
    assert doctest.testmod(shell_rules).failed == 0
