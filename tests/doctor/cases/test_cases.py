"""Real cases, told again: what must fire fires, what must stay silent does."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import doctorkit as kit  # noqa: E402

sys.exit(kit.run_folder(HERE, sys.argv[1:]))
