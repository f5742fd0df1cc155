# fish completion for hawser: hawser completion fish | source
function __hawser_complete
	set -l asked (commandline -opc)
	set -l current (commandline -ct)
	switch "$asked[-1]=$current"
	case 'load=-*' 'check=-*'
	case '-f=*' '--file=*' '--push=*' '--config=*' '--check=*' 'load=*' 'check=*'
		__fish_complete_path "$current"
		return
	end
	if string match -q -- '-*' "$current"
		set -a asked (string replace -r -- '^--$' - "$current") # -- would end the options
	end
	env 0=zsh $asked --generate-bash-completion 2>/dev/null | string replace : \t
end
complete -c hawser -f -a '(__hawser_complete)'
