# bash completion for hawser: source <(hawser completion bash)
_hawser() {
	local cur=${COMP_WORDS[COMP_CWORD]} word
	local -a before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	COMPREPLY=()
	if [[ $cur == = ]]; then # the end of --push=
		before+=("=")
		cur=
	fi
	for word in "${before[@]}"; do
		if [[ $word == -- ]]; then # what follows is another command's: hawser is not asked
			mapfile -t COMPREPLY < <(compgen -c -f -- "$cur" | sort -u)
			return
		fi
	done
	while IFS=$'\t' read -r word _; do
		case $word in
		:files)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null ;;
		:commands)
			mapfile -t COMPREPLY < <(compgen -c -f -- "$cur" | sort -u) ;;
		"$cur"*)
			COMPREPLY+=("$word") ;;
		esac
	done < <("${COMP_WORDS[0]}" "${before[@]}" "$cur" --generate-bash-completion 2>/dev/null)
}
complete -F _hawser hawser
