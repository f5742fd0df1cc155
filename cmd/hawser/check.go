package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func checkCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "validate hawser.yaml, without a cluster",
		ArgsUsage: "[FILE]",
		Description: "Reads FILE (/etc/hawser/hawser.yaml, else ./hawser.yaml; - is standard " +
			"input) as plan " +
			"and apply do, and prints everything that is wrong with it, each fault with its line " +
			"and " +
			"column. What the file names, such as HAProxy's configuration, is not checked: it is " +
			"on the " +
			"nodes.",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "file", Aliases: []string{"f"}, Usage: "`FILE`, as with plan and apply",
			},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			files := c.Args().Slice()
			if c.IsSet("file") {
				files = append(files, c.String("file"))
			}
			if len(files) > 1 {
				return usagef("hawser check takes one file: see `hawser check --help`")
			}
			return sys.checkFile(c.Context, strings.Join(files, ""), c.Bool("json"))
		},
	}
}

// checked is what check says, as JSON.
type checked struct {
	File   string         `json:"file"`
	Valid  bool           `json:"valid"`
	Faults []checkedFault `json:"faults"`
}

type checkedFault struct {
	// Line and Column are counted from 1; they are missing where the file as a whole is meant.
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

func (s *system) checkFile(ctx context.Context, path string, asJSON bool) error {
	file, err := interruptible(ctx, func() (*config.File, error) { return s.readToCheck(path) })
	var faults *config.Faults
	var unreadable *config.ReadError
	switch {
	case outcome.Of(err) == outcome.Interrupted:
		return err
	case asJSON && errors.As(err, &unreadable):
		faults = &config.Faults{Path: unreadable.Path}
		faults.Add(config.Position{}, "%v", err)
		return s.printChecked(nil, faults)
	case err != nil && !errors.As(err, &faults):
		return usagef("%w", err)
	case asJSON:
		return s.printChecked(file, faults)
	case faults != nil:
		return usagef("%w", err)
	}
	_, err = fmt.Fprintf(s.stdout, "%s is valid.\n", file.Path)
	return err
}

func (s *system) readToCheck(path string) (*config.File, error) {
	file, err := s.openConfig(path)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("%w: name the file", err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, usagef("%w%s", err, outcome.AskRoot(s.Root))
	}
	return file, err
}

func (s *system) printChecked(file *config.File, faults *config.Faults) error {
	report := checked{Faults: []checkedFault{}}
	if faults == nil {
		report.File, report.Valid = file.Path, true
		return s.printJSON(report)
	}
	report.File = faults.Path
	for _, f := range faults.List {
		report.Faults = append(report.Faults, checkedFault{f.At.Line, f.At.Column, f.Message})
	}
	if err := s.printJSON(report); err != nil {
		return err
	}
	return silent(exitUsage)
}
