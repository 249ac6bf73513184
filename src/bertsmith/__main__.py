"""`python -m bertsmith`: the command line, also in several processes (`torchrun … -m bertsmith pretrain …`)."""

from bertsmith.cli.launched import launched_main

raise SystemExit(launched_main())
