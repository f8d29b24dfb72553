package webhook

// Failed is the answer when a platform can not work on a call at all: a 500 that says no more. Why is for the log.
func Failed() Answer { return problemAnswer(asRefusal(nil)) }
