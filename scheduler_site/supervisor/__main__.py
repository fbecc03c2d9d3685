import sys

from scheduler_site.supervisor.main import main

sys.exit(main())
