package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/words"
	"github.com/hawser-ha/hawser/keepalived"
	keepalivedconf "github.com/hawser-ha/hawser/keepalived/adapt"
)

// importCommand has a command below it for each kind of set-up that a hawser.yaml can be made of.
func importCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "make a hawser.yaml of what another program is configured with",
		Description: "Prints a hawser.yaml with comments, and changes nothing. What it could not " +
			"take " +
			"over is said in the comments, and on stderr.",
		Action: func(c *cli.Context) error {
			if word := c.Args().First(); strings.ContainsAny(word, "./") && len(word) > 1 {
				return usagef("hawser import has no command %q: a file is read by one of its commands, such "+
					"as `hawser import crm %s` or `hawser import keepalived %[2]s`", word, word)
			}
			return sys.noCommand("hawser import")(c)
		},
		Subcommands: []*cli.Command{importCRMCommand(sys), importKeepalivedCommand(sys)},
	}
}

func importKeepalivedCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "keepalived",
		Usage:     "make a hawser.yaml of the keepalived.conf of each node",
		ArgsUsage: "[FILE…]",
		Description: "Reads the files of all nodes together, as keepalived itself reads them, and " +
			"prints one " +
			"hawser.yaml. Behind it stands, for each line of each file, what became of it: " +
			"converted, not " +
			"needed, to be read because it does something else now, or left out because hawser " +
			"has nothing " +
			"like it. No script is run, and passwords are not printed.\n\n" +
			"A file needs the name that its node has in the cluster: with --node NAME=FILE, or in " +
			"the file's " +
			"own name (lb-1.conf, lb-1/keepalived.conf). One FILE with lines for certain nodes " +
			"(@lb-1 …) is " +
			"that of each of them.\n\n" +
			"  hawser import keepalived --node lb-1=a.conf \\\n" +
			"    --node lb-2=b.conf -o hawser.yaml",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "node", Usage: "a node and its keepalived.conf, `NAME=FILE`, " +
				"once for each"},
			outputFlag(),
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file if it is there"},
			jsonFlag(),
		},
		Action: sys.telling(func(c *cli.Context) error {
			return sys.importKeepalived(c.Context, c.Args().Slice(), c.StringSlice("node"),
				c.String("output"), c.Bool("force"))
		}),
	}
}

// private is who may read a hawser.yaml in which arguments of programs, which may be secret, stand also in
// comments: its owner.
const private = 0o600

func outputFlag() *cli.StringFlag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"},
		Usage: "write hawser.yaml to `FILE` instead of printing it"}
}

// mostShown is how many remarks people are shown beside the file.
const mostShown = 100

func (s *system) importKeepalived(ctx context.Context, files, named []string, to string, force bool) error {
	type result struct {
		report *keepalived.Report
		err    error
	}
	r, err := interruptible(ctx, func() (result, error) {
		report, err := keepalived.Import(files, named)
		return result{report, err}, nil
	})
	if err != nil {
		return err
	}
	if r.report == nil {
		return r.err
	}
	s.reports(r.report)
	if !s.json {
		few := r.report.Summary[:min(len(r.report.Summary), mostShown)]
		s.warnAll(few)
		if more := len(r.report.Summary) - len(few); more > 0 {
			s.warn(fmt.Sprintf("and %d more: --json has all of them", more))
		}
	}
	if r.err != nil {
		return r.err
	}
	usable := r.report.Outcome != keepalivedconf.WithRemarks
	if _, err := config.ParseAs(cmp.Or(to, "hawser.yaml"), []byte(r.report.YAML)); err != nil {
		usable = false
		s.warn("the file that was made has to be corrected by hand: " + err.Error())
	}
	if to != "" {
		if err := s.writeYAML(to, []byte(r.report.YAML), private, force); err != nil {
			return err
		}
		r.report.Written = to
		s.aside(false).printf("Written to %s.\n", to)
	} else if out := s.aside(false); !s.json {
		if _, err := io.WriteString(out.stdout, words.Printable(r.report.YAML, false)); err != nil {
			return err
		}
	}
	if r.report.Guessed {
		for _, n := range r.report.Nodes {
			s.warn(n.File + " is taken for that of the node " + n.Name + "; --node NAME=FILE " +
				"names another")
		}
	}
	if !usable {
		return silent(exitDegraded)
	}
	return nil
}
