# fish completion for hawser: hawser completion fish | source
function __hawser_complete
	set -l asked (commandline -opc)
	set -l current (commandline -ct)
	if contains -- -- $asked # what follows is another command's: hawser is not asked
		__fish_complete_path "$current"
		return
	end
	for line in (env $asked "$current" --generate-bash-completion 2>/dev/null)
		switch $line
		case :files
			__fish_complete_path "$current"
		case :commands
			complete -C "$current"
			__fish_complete_path "$current"
		case '*'
			echo $line
		end
	end
end
complete -c hawser -f -a '(__hawser_complete)'
