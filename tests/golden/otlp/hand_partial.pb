
+'span rejected: trace id is not 16 bytes