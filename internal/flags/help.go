package flags

import (
	"flag"
	"strconv"

	"github.com/urfave/cli/v2"
)

// HelpFlag is --help and -h. The library's own takes a text that is made whenever the program
// starts, also for a word after the command, which it looks for among the commands. It does not know
// what this one is: it would act on it.
type HelpFlag struct {
	*cli.BoolFlag
	asked bool
}

// Help returns the flag.
func Help() *HelpFlag {
	return &HelpFlag{BoolFlag: &cli.BoolFlag{
		Name: "help", Aliases: []string{"h"}, Usage: "show help",
	}}
}

// Asked reports whether the flag was given.
func (f *HelpFlag) Asked() bool { return f.asked }

// Apply implements cli.Flag.
func (f *HelpFlag) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.BoolFunc(name, f.Usage, func(word string) error {
			asked, err := strconv.ParseBool(word)
			if err == nil { // the library sets -h to "" where --help was given
				f.asked = asked
			}
			return err
		})
	}
	return nil
}
