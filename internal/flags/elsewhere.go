package flags

// Elsewhere says how to do what a command of that name does in crm, pcs or where somebody would look
// for it, "" if that is not known.
func Elsewhere(word string) string {
	return map[string]string{
		"unstandby": "`hawser online NODE` does that",
		"drain":     "`hawser standby NODE` does that",
		"ready":     "`hawser maintenance off` ends maintenance, `hawser online NODE` a standby",
		"refresh":   "`hawser cleanup` does that",
		"enable":    "`hawser start RESOURCE` does that",
		"disable":   "`hawser stop RESOURCE` does that",
		"clear":     "`crm_resource --clear --resource RESOURCE` does that",
		"history":   "`crm_mon -1rfn` has what failed, `journalctl -u pacemaker` when",
		"logs":      "`journalctl -t hawser -u pacemaker` has them",
		"list":      "`hawser status` lists what there is",
		"show":      "`hawser status` shows what runs, `hawser configure show` what is configured",
		"restart":   "`hawser reload` has HAProxy load its configuration, and cuts nothing",
		"edit":      "edit hawser.yaml, then `hawser plan` and `hawser apply`",
		"diff":      "`hawser plan` shows what apply would change",
		"validate":  "`hawser check` does that",
		"verify":    "`hawser check` does that",
		"migrate":   "`hawser move` does that",
		"failover":  "`hawser move` does that",
		"push":      "`hawser reload --push FILE` does that",
		"rollback":  "`hawser reload --rollback` does that",
		"remove":    "`hawser destroy` removes everything, `hawser configure delete` an object",
		"delete":    "`hawser destroy` removes everything, `hawser configure delete` an object",
	}[word]
}
