"""`python -m whatsapp.simulator CONFIG`: runs a simulator with the JSON file's configuration."""

import sys
from pathlib import Path

from whatsapp.simulator.app import serve
from whatsapp.simulator.config import SimulatorConfig

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m whatsapp.simulator CONFIG.json")
    serve(SimulatorConfig.model_validate_json(Path(sys.argv[1]).read_bytes()))
