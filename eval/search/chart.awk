# eval/search/chart.awk - lines "name ours reference" become an SVG of bars on a
# logarithmic scale, ours dark, the reference light.

function x(ms) {
    if (ms < 0.5)
        ms = 0.5
    return left + (log(ms) - log(0.5)) / (log(5000) - log(0.5)) * width
}

{ name[NR] = $1; ours[NR] = $2; reference[NR] = $3 }

END {
    left = 60
    width = 640
    row = 14
    height = NR * row + 50
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" " \
        "height=\"%d\" font-family=\"sans-serif\" font-size=\"10\">\n", \
        left + width + 20, height
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    for (ms = 1; ms <= 1000; ms *= 10) {
        printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"24\" y2=\"%d\" " \
            "stroke=\"#ccc\"/>\n", x(ms), x(ms), height - 20
        printf "<text x=\"%.1f\" y=\"18\" text-anchor=\"middle\">%d ms" \
            "</text>\n", x(ms), ms
    }
    for (i = 1; i <= NR; i++) {
        y = 14 + i * row
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", \
            left - 6, y + 9, name[i]
        printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"5\" " \
            "fill=\"#bbb\"/>\n", left, y + 1, x(reference[i]) - left
        printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"5\" " \
            "fill=\"#247\"/>\n", left, y + 6, x(ours[i]) - left
    }
    printf "<text x=\"%d\" y=\"%d\">light: ARX 3.9.2; dark: ours; " \
        "logarithmic</text>\n", left, height - 6
    print "</svg>"
}
