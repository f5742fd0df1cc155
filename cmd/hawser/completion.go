package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The completions ask the program itself, which knows its commands and options.
const (
	bashCompletion = `# bash completion for hawser: source <(hawser completion bash)
_hawser() {
	local cur words
	cur=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD-1]} in
	-f|--file|--push|--config|--check|load|check) COMPREPLY=($(compgen -f -- "$cur")); return ;;
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
	// With a variable called 0 that ends in zsh, urfave/cli adds what each command is for.
	zshCompletion = `#compdef hawser
# zsh completion for hawser: source <(hawser completion zsh)
_hawser() {
	local cur=${words[CURRENT]}
	local -a asked found
	case ${words[CURRENT-1]} in
	-f|--file|--push|--config|--check|load|check) _files; return ;;
	esac
	asked=("${(@)words[1,CURRENT-1]}")
	[[ $cur == -* ]] && asked+=("$cur")
	found=("${(@f)$(env 0=zsh "${asked[@]}" --generate-bash-completion 2>/dev/null)}")
	_describe hawser found
}
if [[ ${funcstack[1]} == _hawser ]]; then
	_hawser "$@"
else
	compdef _hawser hawser
fi
`
	fishCompletion = `# fish completion for hawser: hawser completion fish | source
function __hawser_complete
	set -l asked (commandline -opc)
	set -l current (commandline -ct)
	switch "$asked[-1]"
	case -f --file --push --config --check load check
		__fish_complete_path "$current"
		return
	end
	if string match -q -- '-*' "$current"
		set -a asked "$current"
	end
	env 0=zsh $asked --generate-bash-completion 2>/dev/null | string replace : \t
end
complete -c hawser -f -a '(__hawser_complete)'
`
)

// completions are the shells in the order in which they are named.
var completions = []struct{ shell, script string }{{"bash", bashCompletion}, {"zsh", zshCompletion}, {"fish", fishCompletion}}

func completionCommand(sys *system) *cli.Command {
	var shells []string
	for _, c := range completions {
		shells = append(shells, c.shell)
	}
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the shell completion, for bash, zsh or fish",
		ArgsUsage: strings.Join(shells, "|"),
		Description: "bash, for this shell: source <(hawser completion bash)\n" +
			"      for all:        hawser completion bash > /usr/share/bash-completion/completions/hawser\n" +
			"zsh,  for this shell: source <(hawser completion zsh)\n" +
			"      for all:        hawser completion zsh > /usr/share/zsh/vendor-completions/_hawser\n" +
			"fish, for this shell: hawser completion fish | source\n" +
			"      for all:        hawser completion fish > /usr/share/fish/vendor_completions.d/hawser.fish",
		BashComplete: func(c *cli.Context) {
			if !c.Args().Present() {
				fmt.Fprintln(sys.stdout, strings.Join(shells, "\n"))
			}
		},
		Action: func(c *cli.Context) error {
			i := slices.Index(shells, c.Args().First())
			if c.NArg() != 1 || i < 0 {
				return usagef("completion for which shell? accepted is %s", strings.Join(shells, ", "))
			}
			_, err := fmt.Fprint(sys.stdout, completions[i].script)
			return err
		},
	}
}
