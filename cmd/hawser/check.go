package main

import (
	"context"
	"errors"
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
			return sys.checkFile(c.Context, strings.Join(files, ""))
		},
	}
}

func (s *system) checkFile(ctx context.Context, path string) error {
	file, err := interruptible(ctx, func() (*config.File, error) { return s.readToCheck(path) })
	var faults *config.Faults
	report, read := config.CheckedFile(file, err)
	if read {
		s.reports(report)
	}
	switch {
	case err == nil:
		s.aside(false).printf("%s is valid.\n", file.Path)
		return nil
	case outcome.Of(err) == outcome.Interrupted:
		return err
	case s.json && errors.As(err, &faults):
		return silent(exitUsage)
	case s.json && read:
		return said{usagef("%w", err)}
	}
	return usagef("%w", err)
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
