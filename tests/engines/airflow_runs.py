"""Run by Airflow's own interpreter: `airflow dags test` of several DAGs, in one process."""

import json
import sys
from pathlib import Path

from airflow.cli.cli_parser import get_parser


def main(asked: list[tuple[str, dict[str, object]]]) -> list[bool]:
    """Return for each whether the command ended well."""
    parser = get_parser()
    return [ended_well(parser.parse_args(["dags", "test", dag, "--conf", json.dumps(conf)])) for dag, conf in asked]


def ended_well(command) -> bool:
    try:
        command.func(command)
    except SystemExit as end:
        return not end.code
    return True


if __name__ == "__main__":
    answer = main(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(answer))
