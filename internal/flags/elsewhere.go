package flags

// Elsewhere says how to do what a command of that name does in crm, pcs or where somebody would look
// for it, "" if that is not known.
func Elsewhere(word string) string {
	const away = "`crm_standby --node NODE --update on` does that"
	const back = "`crm_standby --node NODE --delete` does that"
	return map[string]string{
		"standby": away, "online": back, "unstandby": back,
		"maintenance": "`crm_attribute --name maintenance-mode --update true` does that",
		"cleanup":     "`crm_resource --cleanup` does that",
		"clear":       "`crm_resource --clear --resource RESOURCE` does that",
		"history":     "`crm_mon -1rfn` has what failed, `journalctl -u pacemaker` when",
		"logs":        "`journalctl -t hawser -u pacemaker` has them",
		"list":        "`hawser status` lists what there is",
		"show":        "`hawser status` shows what runs, `hawser configure show` what is configured",
		"restart":     "`hawser reload` has HAProxy load its configuration, and cuts nothing",
		"start":       "`hawser apply` starts what hawser.yaml says",
		"stop":        "`hawser destroy` stops and removes everything; of one node, " + away,
		"init":        "`hawser --help` has an example of hawser.yaml",
		"edit":        "edit hawser.yaml, then `hawser plan` and `hawser apply`",
		"diff":        "`hawser plan` shows what apply would change",
		"validate":    "`hawser check` does that",
		"verify":      "`hawser check` does that",
		"migrate":     "`hawser move` does that",
		"failover":    "`hawser move` does that",
		"push":        "`hawser reload --push FILE` does that",
		"rollback":    "`hawser reload --rollback` does that",
		"remove":      "`hawser destroy` removes everything, `hawser configure delete` an object",
		"delete":      "`hawser destroy` removes everything, `hawser configure delete` an object",
	}[word]
}
