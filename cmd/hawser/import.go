package main

import "github.com/urfave/cli/v2"

// importCommand has a command below it for each kind of set-up that a hawser.yaml can be made of.
func importCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "make a hawser.yaml of what another program is configured with",
		Description: "Prints a hawser.yaml with comments, and changes nothing. What it could not take " +
			"over is said in the comments, and on stderr.",
		Action:      sys.noCommand("hawser import"),
		Subcommands: []*cli.Command{importCRMCommand(sys)},
	}
}

func outputFlag() *cli.StringFlag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"},
		Usage: "write hawser.yaml to `FILE` instead of printing it"}
}
