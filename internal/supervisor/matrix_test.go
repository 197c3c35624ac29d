package supervisor

// Where the rows of the fault matrix about the program's life are tested. Names
// of files are scripts in cmd/hr/testdata/script.
//
//	17 the new binary exits at once       TestReplaceReturnsWhenTheNewOneExits,
//	                                      supervise_keep_last_good, supervise_why,
//	                                      TestAnswered, supervise_trial
//	18 the program ignores SIGTERM        TestStubbornProgramIsKilled,
//	                                      TestStubbornProgramIsReplaced, run_signals
//	19 a child in a session of its own    TestDescendantsEnd, TestPortIsFreeForTheNext,
//	   holds the port                     TestDaemonDoesNotStealConnections
//	20 a grandchild keeps stdout open     TestGrandchildKeepsOutputOpen
//	21 kill -9 of the supervisor          TestKilledSupervisorTakesTheProgramAlong
//	   terminal closed, Ctrl-C once and   supervise_terminal, run_signals,
//	   again, Ctrl-\                      TestServerLeavesCtrlCToUs
//	   Ctrl-Z and fg                      TestJobControl
//	   modes of the terminal              TestTerminalModesAreRestored, supervise_keys
//	22 ETXTBSY                            TestTextBusy, TestTextBusyStorm
//	23 restarts under load                TestRestartsUnderLoad, TestLanguages,
//	                                      TestLongGoodbye, TestStressRestarts
//	   a keep-alive GET is retried        TestKeepAliveGet, TestStressKeepAlive
//	24 nothing lives: 503                 TestStandIn, TestConnectionsWaitWhileNothingLives,
//	                                      supervise_503, TestSilentClients,
//	                                      TestFewDescriptors, TestWhoLearnsTheReason
//	25 the address changes                TestAddressChanges, TestClosedForGood
//	   a stranger has the port            TestPortOwner, supervise_port
