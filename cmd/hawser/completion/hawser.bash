# bash completion for hawser: source <(hawser completion bash)
_hawser() {
	local cur words
	cur=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD-1]}=$cur in
	load=-*|check=-*) ;;
	-f=*|--file=*|--push=*|--config=*|--check=*|load=*|check=*) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	esac
	if [[ $cur == -* ]]; then
		words=("${COMP_WORDS[@]:0:COMP_CWORD}" "${cur/#--/-}") # -- would end the options
	else
		words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	fi
	COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -F _hawser hawser
