/*
 * common/limits.h - every limit of the system, each with its reason.
 */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

/* A message with a path and a few names fits; longer ones are cut. */
#define ERROR_TEXT_MAX 2048

/* Depth of JSON: policies and messages need about 8; a parser's stack does
 * not notice 64. */
#define JSON_DEPTH_MAX 64

/* A policy or a message is read whole; the largest real policy has 50 KiB. */
#define JSON_SIZE_MAX (16u << 20)

/* A policy with all its hierarchies in one text: where it travels as a string
 * of another one, each of its characters takes two at most, and statements and
 * salts stand beside it within JSON_SIZE_MAX. */
#define POLICY_BUNDLE_SIZE_MAX (7u << 20)

/* Values of one JSON text: the tree takes about 100 bytes for each, so that a
 * text of JSON_SIZE_MAX cannot ask for gigabytes. */
#define JSON_VALUES_MAX (1u << 20)

/* Characters of one number: a double needs at most 25, and cJSON reads no
 * more than 63. */
#define JSON_NUMBER_MAX 60

/* Bytes of a key that a message shows: enough to find it by. */
#define JSON_QUOTE_MAX 80

/* Bytes of a name that suggestions are made for: known names are shorter. */
#define SUGGESTION_NAME_MAX 64

/* Bytes of one CSV field: a clinical note fits, a missing quote is noticed
 * before the whole table is swallowed. */
#define CSV_FIELD_MAX (1u << 20)

/* Bytes of one CSV record, newline included. */
#define CSV_RECORD_MAX (16u << 20)

/* Columns of a table: the widest real survey files have about 2,000. */
#define TABLE_COLUMNS_MAX 4096

/* Rows of a table: row counts and class sizes are 32 bit. */
#define TABLE_ROWS_MAX 4294967294u

/* Patients of the synthetic hospital: their numbers have nine digits. */
#define HOSPITAL_PATIENTS_MAX 999999999u

/* Visits of one of its patients: two digits of the visit's number. */
#define HOSPITAL_VISITS_MAX 99

/* Bytes of a patient's number: hospitals' have up to 20 digits; a whole name
 * and address in its place would still fit. */
#define PATIENT_NUMBER_MAX 256

/* Subjects that enter or leave a keyring in one call: their ids take 16 MiB,
 * and more come in further calls.  As many new keys wait in memory to be saved,
 * 124 bytes and a slot each: an ingest of a million writes keys.db once. */
#define KEYRING_BATCH_MAX (1u << 20)

/* Files in a folder of epoch keys: there is one; a crash leaves another, and
 * each vault on a machine should have a folder of its own. */
#define EPOCH_FILES_MAX 1024

/* KiB of keys.db at hand, of which each subject takes 154 bytes: the ids are
 * random, so each look-up is on another page.  Beyond it most have to be
 * read. */
#define KEYRING_CACHE_KIB (256u << 10)

/* KiB of vault.db at hand: its rows come and go in order. */
#define VAULT_CACHE_KIB (16u << 10)

/* Datasets of a vault: one every hour for a century; their number and that of
 * a row share 63 bits. */
#define VAULT_DATASETS_MAX (1u << 20)

/* What a vault holds in memory while it takes or gives rows: so many of them,
 * and so many bytes, or one row that is longer.  Each batch that is taken is
 * synced, and its subjects' keys go to pages all over keys.db. */
#define VAULT_BATCH_ROWS 16384
#define VAULT_BATCH_SIZE (4u << 20)

/* Parts of a batch that threads take in turn: several for each of some cores,
 * so that none waits long for the last. */
#define KEYRING_SHARES 16

/* Bytes of a release that are held in memory while its rows are put in random
 * order: a million rows of 128 bytes. */
#define SHUFFLE_HELD_MAX (128u << 20)
/* KiB of a broker's state.db at hand: what a million subjects have said takes
 * about 50 MB. */
#define BROKER_CACHE_KIB (64u << 10)

/* Restarts of one release with a new permit, because a permitted subject has
 * said something else or the permit has expired: more and something is wrong
 * with how long the work takes. */
#define PROPOSAL_RESTARTS_MAX 5

/* Drafts of one release entry under one permit: each is stale only if somebody
 * withdrew within the tenth of a second in which it was signed. */
#define PROPOSAL_DRAFTS_MAX 1000

/* Moves of a release that one question may bring about; the way from nothing to
 * published has seven. */
#define PROPOSAL_MOVES_MAX 64

/* Entries of the log that are applied in one transaction. */
#define FOLLOWER_BATCH_MAX 64

/* Entries that the broker applies, at most, before it looks whether somebody
 * asks something: some tenths of a second. */
#define FOLLOWER_TURN_MAX 1024

/* How long a node may take to show an entry that another node has answered
 * for. */
#define FOLLOWER_WAIT_MS 5000

/* A policy with its hierarchies, as it comes with a request: it travels as a
 * string within a JSON text, where each of its bytes may take two. */
#define REQUEST_BUNDLE_MAX (7u << 20)

/* Distinct tuples of a table: its list and the slots of a hash table twice as
 * long grow by doubling, and both are counted in 32 bits. */
#define TABLE_TUPLES_MAX (1u << 29)

/* Quasi-identifiers of a policy: the lattice grows exponentially with them;
 * 64 is far beyond what can be searched. */
#define QUASI_IDENTIFIERS_MAX 64

/* Sensitive attributes of a policy. */
#define SENSITIVE_MAX 64

/* Seconds that a time-limited search may take: a day. */
#define SEARCH_SECONDS_MAX 86400

/* Privacy models of a policy. */
#define CRITERIA_MAX 256

/* People of whom a table is a sample: more than there are on earth.  It bounds
 * the steps of Zayatz's estimator (anonymizer/population.c). */
#define POPULATION_MAX 1e10

/* Least risk of one record that a policy may call too high; 1 / it is a class
 * size that fits 32 bits. */
#define HIGHEST_RISK_MIN 1e-9

/* Tokens that mean a missing value: each cell is compared with each. */
#define MISSING_TOKENS_MAX 64

/* Levels of a hierarchy, level 0 (the value itself) included. */
#define HIERARCHY_LEVELS_MAX 64

/* Rows of a hierarchy: each value of the domain once; about 75,000 ICD-10-CM
 * codes and 1 million postal codes exist. */
#define HIERARCHY_ROWS_MAX (16u << 20)

/* Characters of a subset's rule, the parentheses and signs around any part of
 * it, and its operands that wait for their turn: far more than anybody
 * reads. */
#define SUBSET_RULE_SIZE_MAX 1024
#define SUBSET_RULE_NESTING_MAX 32
#define SUBSET_RULE_DEPTH_MAX 64

/* Bytes of a hierarchy file. */
#define HIERARCHY_SIZE_MAX (1024u << 20)

/* Blocks of an arena grow from one page to what malloc maps from the system
 * anyway; a larger piece gets a block of its own. */
#define ARENA_BLOCK_MIN 4096u
#define ARENA_BLOCK_MAX (1u << 20)

/* Alignment of an arena's piece: up to a page. */
#define ARENA_ALIGNMENT_MAX 4096u

/* Characters of a number: the smallest double, written out, has 1,077. */
#define NUMBER_SIZE_MAX 1077

/* A line of the log, newline included: what Linux writes to a pipe in one
 * piece (PIPE_BUF), so that lines of several threads never mix. */
#define LOG_LINE_MAX 4096

/* Names of 64 random bits that may be taken before we give up: one is already
 * a wonder. */
#define HIDDEN_NAME_TRIES 8

/* Bytes of a file with one private key: PKCS #8 in PEM has about 250. */
#define KEY_FILE_SIZE_MAX 4096

/* Bytes of a certificate in DER: ours have about 600; those of somebody else's
 * software may carry addresses besides. */
#define CERTIFICATE_SIZE_MAX 4096

/* Bytes of a certificate or request in PEM: four for three, and lines. */
#define CERTIFICATE_PEM_SIZE_MAX (6u << 10)

/* Signatures of a certificate that are drawn until one has a low s: each has it
 * with probability 1/2. */
#define CERTIFICATE_SIGN_TRIES 128

/* Locked memory for private keys and what signing needs beside them: about
 * 1 KiB for each key and each signing thread; a part of the 8 MiB that a
 * process may lock by default. */
#define KEY_MEMORY_SIZE (1u << 20)

/* Fields of a message: the largest, a node's state, has eight. */
#define MESSAGE_FIELDS_MAX 8

/* Its frames: name, request id, fields. */
#define MESSAGE_FRAMES_MAX (MESSAGE_FIELDS_MAX + 2)

/* Key of the state: "certificate/", "entry/" or "narrowed/" and a name. */
#define STATE_KEY_MAX 128

/* Positions in one answer about a key's history; further ones are asked for
 * by a further question. */
#define HISTORY_POSITIONS_MAX 1024

/* A line of a note: a name, 4 + 8 + 64 bytes in base64. */
#define NOTE_LINE_MAX 512

/* A checkpoint without extensions: a name of 128 bytes, 20 digits, 44 of
 * base64, three newlines. */
#define CHECKPOINT_TEXT_MAX 256

/* Blocks in one answer: several usual ones, or one of the largest. */
#define BLOCKS_SIZE_MAX (8u << 20)

/* What is larger than a message comes in parts of this size (common/upload.h):
 * some hundred a gigabyte and second, and not much more than a request of the
 * largest entry, since each session may have BUS_QUEUE_MAX of them waiting. */
#define PART_SIZE_MAX (256u << 10)

#define UPLOAD_ID_SIZE 16

/* What one upload, and all that a service has at once, may take: the ids of
 * two million permitted subjects, a policy with all its hierarchies. */
#define UPLOAD_SIZE_MAX (64u << 20)
#define UPLOADS_SIZE_MAX (256u << 20)
/* Uploads at once, and how long one that does not grow is kept. */
#define UPLOADS_MAX 64
#define UPLOAD_IDLE_MS 60000u

/* Of one certificate: two of the largest, since a permit needs two, and so many
 * requests ahead; the rest stays for others. */
#define UPLOADS_OWNER_SIZE_MAX (128u << 20)
#define UPLOADS_OWNER_MAX 16

/* Requests that wait at a desk, of 256 KiB at most, and of one certificate: who
 * asks one after the other never has more than one there. */
#define DESK_WAITING_MAX 256
#define DESK_WAITING_OWN_MAX 32

/* How long what the log says of a certificate is believed, and of how many that
 * is kept: a revocation counts within a second, and an upload does not ask for
 * each of its parts. */
#define DESK_STANDING_MS 1000
#define DESK_STANDINGS_MAX 64

/* How often a desk looks for uploads that have become too old. */
#define DESK_TICK_MS 1000

/* A text in an answer: consents or events of one subject, all requests. */
#define TOLD_SIZE_MAX (8u << 20)

/* A statement off the ledger: some members of 64 digits, and the figures of a
 * release. */
#define STATEMENT_SIZE_MAX (64u << 10)

/* A piece of a file that is fetched. */
#define PIECE_SIZE_MAX (1u << 20)

/* Consents of one entry: their statement stays below a megabyte or so, and a
 * million of them are a thousand entries. */
#define CONSENTS_BATCH_MAX 1024

/* What an audit of permits keeps of the log, of each kind: utterances of so
 * many subjects take 2 GiB. */
#define TESTIMONY_ITEMS_MAX (64u << 20)

/* Where a service listens; NUL included, a path of a local socket fits. */
#define ENDPOINT_SIZE_MAX 256

/* Path of a local socket: sun_path of Linux, less the NUL. */
#define ENDPOINT_PATH_MAX 107

/* Messages that wait for one peer, in each direction: beyond it a request is
 * held back and an answer is not sent. */
#define BUS_QUEUE_MAX 1000

/* Messages that one turn of the loop takes from one socket: raft's timers,
 * which share the loop, wait for a few milliseconds at most. */
#define BUS_BATCH_MAX 64

/* Peers that have said who they are. */
#define BUS_PEERS_MAX 1024

/* Services that one program connects to: nodes of a network, and a few. */
#define BUS_LINKS_MAX 64

/* File descriptors that connections leave to raft, the database and the rest of
 * the process. */
#define BUS_FILES_RESERVED 128

/* A greeting is good for 12 hours: who goes on then greets again. */
#define BUS_GREETING_MS 43200000u

/* Clocks of two machines that still understand each other. */
#define BUS_CLOCK_SKEW_MS 60000u

/* What is not sent by then when a bus closes is dropped. */
#define BUS_LINGER_MS 500

/* A peer whose machine or process says nothing for so long is gone; asked every
 * third of it.  ZeroMQ's own thread answers, however busy the loop is. */
#define BUS_SILENCE_MS 3000

/* A connection that has not shaken hands by then is dropped. */
#define BUS_HANDSHAKE_MS 5000

/* The first and the longest pause before a lost connection is tried again. */
#define BUS_RECONNECT_MS 50
#define BUS_RECONNECT_MAX_MS 1000

/* A file with a pair of CURVE keys: two of 40 characters, and their names. */
#define CURVE_FILE_MAX 4096

/* A service's configuration. */
#define CONFIG_SIZE_MAX (1u << 20)

/* Threads of libuv's pool that are left to raft's and libuv's file work, when
 * jobs occupy all others. */
#define SERVICE_FILE_THREADS 4

/* Files and connections that a service may have open, where the system's hard
 * limit allows it: libzmq 4.3 ends the process when there are no more, so that
 * the usual 1,024 would leave a service to whoever opens as many connections.
 * So many connections that say nothing take about 250 MB (4 KB each, measured),
 * and are dropped after BUS_HANDSHAKE_MS. */
#define SERVICE_FILES_MAX 65536
/* With fewer there is a warning. */
#define SERVICE_FILES_WANTED 4096

/* Jobs that wait for a thread: beyond it the answer is that we are busy. */
#define SERVICE_JOBS_MAX 4096

/* Worker threads: more than the cores of any machine we know of. */
#define THREADS_MAX 1024

/* A DNS name has at most 253 characters; the colon and the port add 6. */
#define ADDRESS_HOST_MAX 253
#define ADDRESS_MAX 259

/* Bytes of one batch in Raft's log: about 2,000 usual entries.  A follower
 * that catches up may get 32 of them in one message, held in memory. */
#define REPLICA_PAYLOAD_MAX (1u << 20)

/* Batches proposed and not yet applied: what may be in doubt at once when
 * leadership is lost.  More of them do not add speed. */
#define REPLICA_IN_FLIGHT_MAX 16

/* Bytes of a Consent resource as a hospital keeps it: narrative and a scanned
 * form inside; of its reduced form: all rules with all recipients fit. */
#define CONSENT_RESOURCE_SIZE_MAX (1u << 20)
#define CONSENT_SIZE_MAX (64u << 10)

/* Rules of a consent, the root included, and how deep exceptions to exceptions
 * may go: people understand about three levels. */
#define CONSENT_RULES_MAX 64
#define CONSENT_DEPTH_MAX 8

/* Purposes and actors that one rule lists: all purposes that we know are fewer
 * than 32. */
#define CONSENT_PURPOSES_MAX 64
#define CONSENT_ACTORS_MAX 64

/* Memory of one consent: 64 rules and their recipients, twice over. */
#define CONSENT_MEMORY_MAX (1u << 20)

/* Characters of a FHIR dateTime: 35 with nine digits of a second. */
#define PERIOD_TIME_SIZE_MAX 64

/* Where a field stands in a resource: provision.provision[0]..., as deep as
 * rules go. */
#define CONSENT_PATH_MAX 512

/* Nodes of a network, one per organisation: each election asks all of them. */
#define REPLICA_PEERS_MAX 32

/* Bytes of a snapshot: it says where the blocks are, it does not hold them. */
#define REPLICA_MANIFEST_MAX 4096

/* Snapshots that may be due before the leader takes no more proposals, so that
 * whoever executes them comes to where one can be taken. */
#define REPLICA_SNAPSHOTS_DUE_MAX 4

/* Between the first byte on a connection of two nodes and the last one of its
 * greeting: a handshake takes milliseconds, a lost packet up to 3 s. */
#define TRANSPORT_GREETING_MS 5000

/* Connections that have not shown a certificate yet, about 60 KiB each; the
 * oldest goes when one more comes. */
#define TRANSPORT_STRANGERS_MAX 64

/* A peer that acknowledges no byte for so long is gone.  Without it TCP would
 * wait for minutes, also after a partition has healed. */
#define TRANSPORT_SILENCE_MS 5000

/* Bytes that wait in one direction of one connection before it is no longer
 * read from: several of the largest messages that are usual. */
#define TRANSPORT_QUEUE_MAX (4u << 20)

/* What is read at once from a connection: four TLS records. */
#define TRANSPORT_READ_SIZE (64u << 10)

/* Bytes of all certificates in a handshake: one of ours has under 1 KiB. */
#define TLS_CERTIFICATES_MAX (16u << 10)

/* A certificate in PEM: ours have about 900 bytes, longer names included. */
#define CERTIFICATE_PEM_MAX 4096u

/* Bytes of an id that access events are told of: 32 hex digits. */
#define ACCESS_ID_MAX 64

/* Handles of a map: each patient of a large country, and all releases; their
 * ends take 56 bytes each in memory. */
#define ACCESS_HANDLES_MAX (1u << 28)

/* Events of one history that is shown: its text must fit TOLD_SIZE_MAX. */
#define ACCESS_EVENTS_MAX (1u << 18)
/* Chains of one: a subject's, and those of the releases it may be in. */
#define ACCESS_CHAINS_MAX 4096

/* What is refused is told, and whoever asks again and again must not fill the
 * disk, or a day's denials (anonymizer/worker_denials.h) more than one answer
 * can hold: of equal ones in one day the first are an event each, then one
 * whenever their number has doubled, with how many it stands for.  At a
 * thousand refusals a second all day long those are at most 25 for each kind,
 * of at most 650 bytes: 6.3 MB a day. */
#define DENIALS_SINGLY_MAX 8
/* Kinds of one day, and of one certificate; of further ones it is told how
 * many they were. */
#define DENIALS_KINDS_MAX 384
#define DENIALS_OWN_MAX 32
/* Bytes of the reason in an event. */
#define DENIAL_WHY_MAX 128
/* How long a broker waits until the anonymizer has recorded a refusal, and for
 * how long it does not ask again after it has waited in vain: who may not ask
 * anything must not keep it from withdrawals, of which it takes one after the
 * other. */
#define DENIAL_WAIT_MS 4000u
#define DENIAL_REST_MS 12000u

/* Ingests that are under way at once, each with one batch in memory, and how
 * long one that does not go on is kept. */
#define INGESTS_MAX 4
#define INGEST_IDLE_MS 60000u

/* Jobs that are under way: with each comes a list of subjects on the disk. */
#define WORKER_JOBS_MAX 1024
/* Attempts at a job that fails by the machine (disk, memory) before it is
 * given up. */
#define WORKER_TRIES_MAX 5
/* How long a job that cannot go on waits before it is tried again: without a
 * quorum it is mostly elections, which take less than a second. */
#define WORKER_PAUSE_MS 250u
/* Access events are anchored at most so often. */
#define WORKER_ANCHOR_MS 1000u
/* Entries that are signed for one job: each stands for a proposal that was
 * stale; the broker evaluates anew after five. */
#define WORKER_SIGNED_MAX 4096
/* An entry that was handed in before its permit expired is executed within so
 * much: nodes that are further off do not cosign. */
#define WORKER_GRACE_MS 120000u
/* The longest that a permit is good for (ledger/rules.h has the same). */
#define WORKER_PERMIT_MS (UINT64_C(24) * 60 * 60 * 1000)
/* Proofs of one certificate must be of one checkpoint; under load another one
 * may come in between. */
#define WORKER_PROOF_TRIES 50
/* An erasure waits for who reads the vault, 50 ms each time, so long as one
 * request may. */
#define WORKER_ERASE_TRIES 40
/* Fetches that go on piece by piece at once; one more is a new access. */
#define WORKER_FETCHES_MAX 64
/* Versions of one certificate's state: enrolled, revoked. */
#define WORKER_CERTIFICATE_VERSIONS 16
/* Bytes of a package: the policy with its hierarchies, terms and permit. */
#define WORKER_PACKAGE_MAX JSON_SIZE_MAX
/* KiB of an anonymizer's state.db at hand: the lists of events of a few million
 * subjects. */
#define WORKER_CACHE_KIB (64u << 10)
/* Handles in one row of an event's list, ends in one of all chains': 16 KiB are
 * read to look for a handle. */
#define WORKER_LIST_MAX 1024
/* The ends of all chains are saved anew when so many handles were told of
 * events since, and at least as many as there are chains: telling them once
 * more, as an opening does, takes about a second. */
#define WORKER_RETELL_MAX (1u << 22)
/* An event by itself takes as long as so many handles of a larger one. */
#define WORKER_RETELL_ACT 16u

/* Distinct values of a column that a profile counts: beyond a million it is a
 * number of its own for nearly each row, and would take some 50 MB. */
#define PROFILE_DISTINCT_MAX (1u << 20)
/* Bytes of them: a million of 64 bytes. */
#define PROFILE_TEXT_MAX (64u << 20)
/* Distinct values that are looked at for what they look like: half of them
 * decide, and 65,536 are a sample large enough for that. */
#define PROFILE_SAMPLE_MAX 65536u
/* Steps, tuples times subsets, that measuring small subsets may take: about two
 * seconds. */
#define PROFILE_STEPS_MAX (UINT64_C(1) << 28)
/* Columns whose subsets are measured: 32 have 5,488 subsets of up to three. */
#define PROFILE_SUBSET_COLUMNS_MAX 32u
/* Transformations that a drafted policy has, so that its search ends soon. */
#define PROFILE_LATTICE_MAX 20000u
/* Values of a drafted hierarchy: each is a line of the file. */
#define PROFILE_HIERARCHY_MAX 200000u

#endif
