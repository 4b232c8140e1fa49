# eval/search/wide.awk - a wide table and its policy, drawn from a seed.
#
#   awk -v columns=24 -v rows=20000 -v seed=1 -v dir=DIR [-v seconds=10] \
#       -f wide.awk </dev/null
#
# writes DIR/wide.csv, DIR/policy.json and the hierarchies h64.csv (64 values,
# 4 levels) and h9.csv (9 values, 3 levels).  Each row belongs to one of 12
# hidden kinds, which has a value of its own in each column; a cell is that value
# with a chance of `loyalty`, one near it or any other otherwise.
#
# The numbers are those of Park and Miller's generator (x = 16807 x mod 2^31-1),
# exact in any awk's doubles, so that every machine draws the same table.

function draw() { state = (16807 * state) % 2147483647; return state / 2147483647 }
function below(n) { return int(draw() * n) }

BEGIN {
    if (!loyalty) loyalty = 0.7
    if (!seconds) seconds = 10
    if (!k) k = 5
    state = seed * 7919 + 104729
    for (i = 0; i < 64; i++)
        print "v" i ";" "w" int(i / 4) ";" "x" int(i / 16) ";*" >(dir "/h64.csv")
    for (i = 0; i < 9; i++)
        print "v" i ";" "w" int(i / 3) ";*" >(dir "/h9.csv")
    for (c = 0; c < columns; c++)
        domain[c] = c < fours(columns) ? 64 : 9
    for (kind = 0; kind < 12; kind++)
        for (c = 0; c < columns; c++)
            home[kind, c] = below(domain[c])
    line = "q0"
    for (c = 1; c < columns; c++)
        line = line ";q" c
    print line >(dir "/wide.csv")
    for (r = 0; r < rows; r++) {
        kind = int(12 * draw() * draw())
        line = ""
        for (c = 0; c < columns; c++) {
            x = draw()
            if (x < loyalty)
                v = home[kind, c]
            else if (x < loyalty + (1 - loyalty) * 0.8)
                v = int(home[kind, c] / 4) * 4 + below(4)
            else
                v = below(domain[c])
            if (v >= domain[c])
                v = domain[c] - 1
            line = line (c ? ";" : "") "v" v
        }
        print line >(dir "/wide.csv")
    }
    policy = dir "/policy.json"
    print "{\"policy\": 1, \"attributes\": {" >policy
    for (c = 0; c < columns; c++)
        print " \"q" c "\": {\"role\": \"quasi-identifying\", \"hierarchy\": \"h" \
              domain[c] ".csv\"}" (c + 1 < columns ? "," : "},") >policy
    print " \"privacy\": [{\"model\": \"k-anonymity\", \"k\": " k "}]," >policy
    print " \"suppression_limit\": 0.05," >policy
    print " \"quality\": {\"metric\": \"loss\", \"aggregate\": " \
          "\"arithmetic-mean\"}," >policy
    print " \"search\": {\"strategy\": \"time-limited\", \"seconds\": " seconds \
          "}}" >policy
}

# Columns of 64 values: lattices of 4^5 3^11 = 1.8e8 and 4^12 3^12 = 8.9e12.
function fours(columns) { return columns > 16 ? 12 : 5 }
