package flags

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/words"
)

// Meant says what may have been meant by an option that the command does not have, or "".
func Meant(c *cli.Command, option string) string {
	unknown := "there is no option " + Dashed(option)
	for _, f := range c.Flags {
		for _, name := range f.Names() {
			if len(option) > 1 && len(name) > 1 && words.Near(option, name) {
				return fmt.Sprintf("%s: did you mean --%s?", unknown, name)
			}
		}
	}
	for _, sub := range c.Subcommands {
		if Has(sub.Flags, option) {
			return fmt.Sprintf("%s before the command: options follow it, as in `%s %s %s`",
				unknown, c.HelpName, sub.Name, Dashed(option))
		}
	}
	switch letter := option[:min(1, len(option))]; {
	case len(option) > 1 && option[1] != '-' && Has(c.Flags, letter):
		return fmt.Sprintf("there is no option -%s: write -%s %s", option, letter, option[1:])
	case (option == "dry-run" || option == "n") && c.Name == "apply":
		return unknown + ": `hawser plan` shows what apply would do"
	case (option == "f" || option == "file") && Has(c.Flags, "output"):
		return unknown + ": the file to write is named with -o"
	}
	return ""
}

// Has reports whether one of the flags has the name.
func Has(all []cli.Flag, name string) bool {
	return slices.ContainsFunc(all, func(f cli.Flag) bool {
		return slices.Contains(f.Names(), name)
	})
}
