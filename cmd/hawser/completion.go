package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// bashCompletion asks the program itself, which knows its commands and options.
const bashCompletion = `# bash completion for hawser: source <(hawser completion bash)
_hawser() {
	local cur words
	cur=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD-1]} in
	-f|--file|load) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	esac
	if [[ $cur == -* ]]; then
		words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
	else
		words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	fi
	COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -F _hawser hawser
`

func completionCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the shell completion",
		ArgsUsage: "bash",
		Description: "For this shell: source <(hawser completion bash)\n" +
			"For all:        hawser completion bash > /usr/share/bash-completion/completions/hawser",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 || c.Args().First() != "bash" {
				return usagef("completion for which shell? accepted is bash")
			}
			_, err := fmt.Fprint(sys.stdout, bashCompletion)
			return err
		},
	}
}
