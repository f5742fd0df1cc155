#compdef hawser
# zsh completion for hawser: source <(hawser completion zsh)
_hawser() {
	local cur=${words[CURRENT]} tab=$'\t' line word usage
	local -a before found
	before=("${(@)words[2,CURRENT-1]}")
	if (( CURRENT > 2 )) && [[ -n ${(M)before:#--} ]]; then # what follows is another command's
		_files # hawser is not asked
		return
	fi
	(( CURRENT > 2 )) || before=()
	for line in "${(@f)$("${words[1]}" "${before[@]}" "$cur" --generate-bash-completion 2>/dev/null)}"; do
		case $line in
		'') ;;
		:files) _files; return ;;
		:commands) _command_names -e; _files; return ;;
		*)
			word=${line%%$tab*} usage=${line#*$tab}
			[[ $word == $line ]] && usage=
			found+=("${word//:/\\:}${usage:+:$usage}") ;;
		esac
	done
	(( $#found )) && _describe hawser found
}
if [[ ${funcstack[1]} == _hawser ]]; then
	_hawser "$@"
else
	compdef _hawser hawser
fi
