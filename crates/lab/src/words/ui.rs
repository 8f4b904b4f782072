//! Which short texts does the page show? One field per text; a language is a constant of this type, so none can lack one.

use crate::view::scene::NetworkKind;

/// The page's short texts in one language.
#[derive(Debug)]
pub struct Ui {
    /// Link to the map of lessons.
    pub lessons: &'static str,
    /// Link to the sandbox.
    pub sandbox: &'static str,
    /// Takes back the last command.
    pub undo: &'static str,
    /// Does it again.
    pub redo: &'static str,
    /// Copies a link to this session.
    pub share: &'static str,
    /// The link is in the clipboard.
    pub copied: &'static str,
    /// The clipboard is closed: the link stands here.
    pub copy_by_hand: &'static str,
    /// Name of the language switch.
    pub language: &'static str,
    /// Name of the light switch.
    pub theme: &'static str,
    /// Name of the key list.
    pub help: &'static str,
    /// Closes something.
    pub close: &'static str,
    /// Shows everything.
    pub fit: &'static str,
    /// Larger.
    pub zoom_in: &'static str,
    /// Smaller.
    pub zoom_out: &'static str,
    /// Name of the picture.
    pub scene: &'static str,
    /// The account that AWS runs.
    pub aws_vpc: &'static str,
    /// What is in it.
    pub aws_account: &'static str,
    /// A control plane in a container.
    pub kind_plane: &'static str,
    /// An ENI that carries the branch ENIs of pods.
    pub trunk: &'static str,
    /// The control plane of an imported cluster.
    pub imported_plane: &'static str,
    /// The learner's VPC.
    pub my_vpc: &'static str,
    /// The network of a kind cluster.
    pub kind_network: &'static str,
    /// That of an imported cluster whose subnets were not given.
    pub unknown_network: &'static str,
    /// A public subnet.
    pub public: &'static str,
    /// A private subnet.
    pub private: &'static str,
    /// Nothing in it.
    pub empty_subnet: &'static str,
    /// ENIs in it that are drawn nowhere: so many.
    pub other_enis: &'static str,
    /// A subnet in which no prefix fits.
    pub no_block: &'static str,
    /// Above those who hold a subnet's addresses.
    pub holders: &'static str,
    /// One of them that the files of an import do not tell.
    pub unseen_holder: &'static str,
    /// Above the curve of a pool.
    pub pool_history: &'static str,
    /// A line of that curve.
    pub pool_used: &'static str,
    /// A line of that curve.
    pub pool_held: &'static str,
    /// Unit of the formula.
    pub per_slot: &'static str,
    /// Asks for another type of a node.
    pub imagined_type: &'static str,
    /// The API server.
    pub api_server: &'static str,
    /// The scheduler.
    pub scheduler: &'static str,
    /// The controller manager.
    pub controller_manager: &'static str,
    /// A part that runs.
    pub running: &'static str,
    /// A part that does not.
    pub stopped: &'static str,
    /// Switches of parts, for readers.
    pub switches: &'static str,
    /// Where pods wait.
    pub door: &'static str,
    /// Pods.
    pub pods: &'static str,
    /// No seat left.
    pub full: &'static str,
    /// Seats of an ENI.
    pub seats: &'static str,
    /// Pods on the node's own network.
    pub no_slot: &'static str,
    /// An empty socket.
    pub not_attached: &'static str,
    /// On its way in.
    pub attaching: &'static str,
    /// A taint keeps pods away; the card is folded.
    pub tainted: &'static str,
    /// Takes no new pods.
    pub cordoned: &'static str,
    /// Not ready.
    pub not_ready: &'static str,
    /// The control plane's ENI in the account's subnet.
    pub cross_eni: &'static str,
    /// An internet gateway.
    pub internet_gateway: &'static str,
    /// Everything that is not in the network.
    pub outside: &'static str,
    /// A Service.
    pub service: &'static str,
    /// What a Service is.
    pub service_is_rules: &'static str,
    /// Where kube-proxy sends a packet.
    pub dnat: &'static str,
    /// Legend.
    pub legend_primary: &'static str,
    /// Legend.
    pub legend_used: &'static str,
    /// Legend.
    pub legend_warm: &'static str,
    /// Legend.
    pub legend_cooldown: &'static str,
    /// Legend.
    pub legend_empty: &'static str,
    /// The terminal.
    pub terminal: &'static str,
    /// The editor.
    pub editor: &'static str,
    /// Name of the terminal's input.
    pub command_line: &'static str,
    /// Runs what is typed.
    pub run: &'static str,
    /// Applies the file.
    pub apply: &'static str,
    /// It has one.
    pub one_problem: &'static str,
    /// How many mistakes a text has.
    pub problems: &'static str,
    /// Saves what was opened.
    pub save: &'static str,
    /// Name of the file being edited.
    pub file_name: &'static str,
    /// The feed.
    pub events: &'static str,
    /// Before a command's name, in the feed.
    pub because_of: &'static str,
    /// The goals.
    pub goals: &'static str,
    /// A prediction.
    pub predict: &'static str,
    /// Stores a prediction.
    pub lock_in: &'static str,
    /// Before the learner's answer.
    pub you_said: &'static str,
    /// Before what happened.
    pub outcome: &'static str,
    /// The prediction came true.
    pub right: &'static str,
    /// A hint.
    pub hint: &'static str,
    /// Types the next line of the solution.
    pub solution: &'static str,
    /// Questions after the goals.
    pub quiz: &'static str,
    /// Where the facts come from.
    pub sources: &'static str,
    /// Goes on, from a puzzle.
    pub next_puzzle: &'static str,
    /// A choice of files.
    pub file: &'static str,
    /// The list of incidents.
    pub incidents: &'static str,
    /// Where an incident's cause is named.
    pub explain: &'static str,
    /// Before the object that was picked as proof.
    pub proof: &'static str,
    /// Where no object is picked yet.
    pub no_proof: &'static str,
    /// Names the cause.
    pub name_cause: &'static str,
    /// The list of the sandbox's puzzles.
    pub puzzles: &'static str,
    /// Goes on.
    pub next_lesson: &'static str,
    /// Takes the world along.
    pub keep_playing: &'static str,
    /// A goal that was true before.
    pub was_true: &'static str,
    /// A goal behind a prediction.
    pub locked: &'static str,
    /// An extension.
    pub break_it: &'static str,
    /// Tab of the inspector.
    pub why: &'static str,
    /// Tab of the inspector.
    pub state: &'static str,
    /// Tab of the inspector.
    pub path: &'static str,
    /// The inspector without a selection.
    pub nothing_selected: &'static str,
    /// The inspector without a selection.
    pub nothing_yet: &'static str,
    /// Before what would help.
    pub fits_if: &'static str,
    /// Nothing is applied.
    pub ghost_only: &'static str,
    /// Asks what if.
    pub try_it: &'static str,
    /// Opens the decision table.
    pub open_decision: &'static str,
    /// Part of the decision table.
    pub filters: &'static str,
    /// Part of the decision table.
    pub scores: &'static str,
    /// Scale of the scores.
    pub score_note: &'static str,
    /// Sum of the scores.
    pub total: &'static str,
    /// Nodes still in the race.
    pub left_over: &'static str,
    /// Between first and second.
    pub gap: &'static str,
    /// Scoring is skipped.
    pub one_left: &'static str,
    /// What the two halves do.
    pub decision_lead: &'static str,
    /// Rows folded away.
    pub same_for_all: &'static str,
    /// Filters folded away, and there are no others; how many.
    pub all_passed: &'static str,
    /// Filters folded away; how many.
    pub rest_passed: &'static str,
    /// Filters that had nothing to ask; their names.
    pub idle: &'static str,
    /// Scores folded away; how many.
    pub same_scores: &'static str,
    /// Scorers without a say; their names.
    pub silent: &'static str,
    /// Shows what is folded.
    pub unfold: &'static str,
    /// Folds it away.
    pub fold: &'static str,
    /// Before a cell is looked at.
    pub point_at_cell: &'static str,
    /// Name of the place where formulas appear.
    pub formula: &'static str,
    /// A cell of a node that was out before.
    pub not_reached: &'static str,
    /// A filter's yes.
    pub passed: &'static str,
    /// One of several best totals.
    pub tie: &'static str,
    /// The pod has no gates.
    pub no_gates: &'static str,
    /// The pod has gates; how many.
    pub gates_left: &'static str,
    /// Before the name of a gate.
    pub gate: &'static str,
    /// Where gates keep a pod: before the queue.
    pub pre_enqueue: &'static str,
    /// A phase that the pod did not come to.
    pub not_come_to: &'static str,
    /// A decision's number among all.
    pub decision_number: &'static str,
    /// To the decision before; its number.
    pub earlier_decision: &'static str,
    /// To the next decision; its number.
    pub later_decision: &'static str,
    /// An attempt's number, and how many there are.
    pub attempt_number: &'static str,
    /// To the same pod's attempt before.
    pub earlier_attempt: &'static str,
    /// To the same pod's next attempt.
    pub later_attempt: &'static str,
    /// The pod asks for nothing.
    pub no_requests: &'static str,
    /// How often the pod was tried.
    pub queue: &'static str,
    /// Events that may help.
    pub waits_for: &'static str,
    /// Whether evicting helps.
    pub preemption: &'static str,
    /// Pods to evict.
    pub victims: &'static str,
    /// Victims that a budget protects.
    pub protected: &'static str,
    /// Priority of the most important victim.
    pub highest: &'static str,
    /// Nobody was scored.
    pub no_scores: &'static str,
    /// Back-off; until when.
    pub resting: &'static str,
    /// A column of several nodes; how many more.
    pub same_verdict: &'static str,
    /// The address pool.
    pub pool: &'static str,
    /// The map of a subnet's blocks.
    pub blocks: &'static str,
    /// Starts a path here.
    pub trace_from: &'static str,
    /// The way back.
    pub return_way: &'static str,
    /// Start of a path.
    pub from: &'static str,
    /// End of a path.
    pub to: &'static str,
    /// A port.
    pub port: &'static str,
    /// Follows a packet.
    pub trace: &'static str,
    /// Plays what happens.
    pub play: &'static str,
    /// Stops playing.
    pub pause: &'static str,
    /// One event on.
    pub next_event: &'static str,
    /// One event back.
    pub previous_event: &'static str,
    /// How fast.
    pub speed: &'static str,
    /// Other futures.
    pub branches: &'static str,
    /// While one looks back: the moment.
    pub past: &'static str,
    /// To the head of the session.
    pub back_to_now: &'static str,
    /// Name of the timeline.
    pub timeline: &'static str,
    /// Tab of the phone.
    pub time: &'static str,
    /// Tab of the phone.
    pub act: &'static str,
    /// The head of the session.
    pub now: &'static str,
    /// Nothing more will happen by itself.
    pub quiet: &'static str,
    /// Lane.
    pub lane_command: &'static str,
    /// Lane.
    pub lane_scheduler: &'static str,
    /// Lane.
    pub lane_node: &'static str,
    /// Name of the tree.
    pub outline: &'static str,
    /// First screen.
    pub first_title: &'static str,
    /// First screen.
    pub first_text: &'static str,
    /// First screen, after.
    pub first_done_title: &'static str,
    /// First screen, after: the number of the device.
    pub first_done_text: &'static str,
    /// First screen, after.
    pub first_done_line: &'static str,
    /// Opens the steps of what just happened; their number.
    pub story: &'static str,
    /// The big button.
    pub deploy: &'static str,
    /// After the first screen.
    pub start_lesson: &'static str,
    /// Tag of the first pod.
    pub you: &'static str,
    /// A private subnet, in full.
    pub private_subnet: &'static str,
    /// Back where one was.
    pub continue_lesson: &'static str,
    /// A share link that cannot be read.
    pub broken_link: &'static str,
    /// Nothing can be kept.
    pub storage_blocked: &'static str,
    /// A paste that is too long.
    pub too_long: &'static str,
    /// The page's own bug.
    pub crashed: &'static str,
    /// Opens the kept script.
    pub reopen: &'static str,
    /// The lesson pane.
    pub lesson: &'static str,
    /// The inspector.
    pub inspector: &'static str,
    /// Before or after a number of minutes.
    pub minutes: &'static str,
    /// An empty sandbox.
    pub nothing_here: &'static str,
    /// What to do about it.
    pub nothing_here_text: &'static str,
    /// An empty sandbox offers this.
    pub offer_kind: &'static str,
    /// An empty sandbox offers this.
    pub offer_paste: &'static str,
    /// What that does.
    pub offer_paste_text: &'static str,
    /// An empty sandbox offers this.
    pub offer_import: &'static str,
    /// What that takes, and where it stays.
    pub offer_import_text: &'static str,
    /// Files that are too long to be imported.
    pub import_too_long: &'static str,
    /// An empty sandbox offers this.
    pub offer_world: &'static str,
    /// Further choices.
    pub more: &'static str,
    /// One step back.
    pub back: &'static str,
    /// Copies something.
    pub copy: &'static str,
    /// Copied.
    pub copied_short: &'static str,
    /// Changes that wait while one types.
    pub waiting_changes: &'static str,
    /// The text did not get through.
    pub nothing_applied: &'static str,
    /// Kept, without behaviour.
    pub not_simulated: &'static str,
    /// A short length of time.
    pub seconds: &'static str,
    /// A length of time.
    pub whole_minutes: &'static str,
    /// Age of the oldest.
    pub oldest: &'static str,
    /// Before the nearest commands.
    pub did_you_mean: &'static str,
    /// A manifest without its indentation.
    pub lost_indentation: &'static str,
    /// The editor shows what a command edits.
    pub editing: &'static str,
    /// Offers the re-indented manifest.
    pub reindent: &'static str,
    /// A limit of the lab.
    pub stopped_at: &'static str,
    /// After an undo.
    pub back_before: &'static str,
    /// Shows a hidden pane.
    pub hidden_pane: &'static str,
    /// A divider between two panes.
    pub divider: &'static str,
    /// Title of the key list.
    pub keys_title: &'static str,
    /// Opens the decision table.
    pub show_decision: &'static str,
    /// Before the formula.
    pub where_from: &'static str,
    /// Unit of the formula.
    pub cards: &'static str,
    /// Unit of the formula.
    pub addresses: &'static str,
    /// Unit of the formula.
    pub own: &'static str,
    /// Unit of the formula.
    pub max: &'static str,
    /// Nothing was said.
    pub no_events: &'static str,
    /// Nothing was traced.
    pub no_path: &'static str,
    /// Further choices.
    pub menu: &'static str,
    /// A kind without behaviour.
    pub stored_only: &'static str,
    /// Length.
    pub minutes_short: &'static str,
    /// Title of what there is to say about the lab itself.
    pub about: &'static str,
    /// Title of the list of what is left out.
    pub coverage: &'static str,
    /// What that list is, and where it comes from.
    pub coverage_lead: &'static str,
    /// Title of its list of kinds.
    pub coverage_kinds: &'static str,
    /// Before kinds with behaviour.
    pub simulated: &'static str,
    /// Title of its list of simplifications.
    pub coverage_simpler: &'static str,
    /// Title of its list of recorded cases that differ.
    pub coverage_differs: &'static str,
    /// Title of the map.
    pub all_lessons: &'static str,
    /// Opens a lesson.
    pub open_lesson: &'static str,
    /// A goal that must hold.
    pub waiting_hold: &'static str,
    /// Name of a number's input.
    pub number_answer: &'static str,
    /// After applying.
    pub applied: &'static str,
    /// While something loads.
    pub loading: &'static str,
    /// How long a pod has been so.
    pub age_for: &'static str,
    /// The plugin that decided.
    pub decider: &'static str,
    /// No gate is on it.
    pub gates_none: &'static str,
    /// What the keys do.
    pub keys_text: &'static str,
    /// Nodes looked at, nodes that fit.
    pub fit_of: &'static str,
    /// Nodes that the scheduler looked at, and those that passed.
    pub looked_at: &'static str,
    /// A text too long to be checked while it is written.
    pub unchecked: &'static str,
    /// There is no room to keep more.
    pub storage_full: &'static str,
    /// An address that leads nowhere.
    pub no_page: &'static str,
    /// A lesson that is not there.
    pub no_lesson: &'static str,
    /// A world that is not there.
    pub no_world: &'static str,
    /// The page ended while a line was running.
    pub ended: &'static str,
    /// The page ended while a session was brought back.
    pub not_back: &'static str,
    /// Another future begins, or goes on.
    pub branch_opened: &'static str,
    /// A future that was left: its name.
    pub branch_left: &'static str,
    /// A future that was left: its number of commands.
    pub branch_lines: &'static str,
    /// No future was left yet.
    pub no_branches: &'static str,
    /// Finds a thing.
    pub find: &'static str,
    /// Whether letters are shortcuts.
    pub letters: &'static str,
    /// Leaves the rest undone.
    pub stop: &'static str,
    /// How far a long paste is: done, all.
    pub lines_done: &'static str,
    /// A text that a line prints is on its way.
    pub fetching: &'static str,
    /// It did not come.
    pub not_fetched: &'static str,
    /// It did not come, and last time's session needs it.
    pub kept_as_it_was: &'static str,
    /// The words on a field are on their way.
    pub words_coming: &'static str,
    /// How to choose a path's ends.
    pub choose_ends: &'static str,
    /// A list in which nothing is chosen.
    pub choose: &'static str,
    /// A port that may be left out.
    pub any_port: &'static str,
    /// What may follow.
    pub completions: &'static str,
    /// A request to the API server.
    pub request: &'static str,
    /// How many requests a line made.
    pub requests: &'static str,
    /// A line made one request.
    pub one_request: &'static str,
    /// The request before.
    pub request_before: &'static str,
    /// The request after.
    pub request_after: &'static str,
    /// A request whose story has just begun.
    pub request_arrives: &'static str,
    /// A stage that the request has not come to.
    pub not_yet: &'static str,
    /// A stage that the request never came to.
    pub not_come: &'static str,
    /// Plugins that changed nothing.
    pub unchanged_by: &'static str,
    /// How many fields were changed.
    pub fields: &'static str,
    /// One field was changed.
    pub one_field: &'static str,
    /// How many more there are.
    pub more_fields: &'static str,
    /// Waits before each step.
    pub step_by_step: &'static str,
    /// The next step.
    pub next_step: &'static str,
    /// A story that waits for its first step.
    pub story_begins: &'static str,
    /// Nothing more to tell.
    pub story_ends: &'static str,
    /// How to sort cards.
    pub sort_cards: &'static str,
    /// A card is in the hand.
    pub picked_up: &'static str,
    /// The last request that the API server answered.
    pub last_request: &'static str,
    /// Leads from an event to the request that led to it.
    pub its_request: &'static str,
}

impl Ui {
    /// What a network is called.
    #[must_use]
    pub fn network(&self, kind: NetworkKind) -> &'static str {
        match kind {
            NetworkKind::Vpc => self.my_vpc,
            NetworkKind::Laptop => self.kind_network,
            NetworkKind::NotGiven => self.unknown_network,
        }
    }
}
