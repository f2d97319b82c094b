rule environments:
    params:
        commands=" && ".join(f"{command(name, 'environment')} --help" for name in ("mechanistic", "neural", "analysis")),
    log:
        "<logs>/environments.log",
    conda:
        conda("analysis")
    shell:
        "({params.commands}) > {log}"
