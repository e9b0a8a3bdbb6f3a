"""The answer, made visible: terminal, HTML page, JSON, status line.  Computes nothing that diagnose did not."""
