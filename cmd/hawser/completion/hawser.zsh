#compdef hawser
# zsh completion for hawser: source <(hawser completion zsh)
_hawser() {
	local cur=${words[CURRENT]}
	local -a asked found
	case ${words[CURRENT-1]}=$cur in
	load=-*|check=-*) ;;
	-f=*|--file=*|--push=*|--config=*|--check=*|load=*|check=*) _files; return ;;
	esac
	asked=("${(@)words[1,CURRENT-1]}")
	[[ $cur == -* ]] && asked+=("${cur/#--/-}") # -- would end the options
	found=("${(@f)$(env 0=zsh "${asked[@]}" --generate-bash-completion 2>/dev/null)}")
	_describe hawser found
}
if [[ ${funcstack[1]} == _hawser ]]; then
	_hawser "$@"
else
	compdef _hawser hawser
fi
