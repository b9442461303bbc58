package io.weft.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    private static final List<String> ALL = List.of("swap", "startup", "tls");

    @TempDir
    Path docs;

    @Test
    void aPageAndItsPictures() throws Exception {
        Report.write(docs, lines(
                "{'name':'swap','value':0.5,'unit':'ms','budget':1.0,'ok':true,'detail':{'jdk':'25.0.3','cores':2}}",
                "{'name':'startup','value':0.3,'unit':'ratio','budget':0.2,'ok':false,"
                        + "'detail':{'jdk':'17.0.15','cores':2,'app':'R & D','noneMs':100,'weftAddsMs':30,'openTelemetryAddsMs':100}}"),
                LocalDate.of(2026, 1, 2), ALL);

        assertThat(Files.readString(docs.resolve("performance.md")))
                .contains("2026-01-02", "JDK 17.0.15 and 25.0.3", "| swap | 0.5 ms | 1 | met |", "| startup, R & D, JDK 17 | 0.3 ratio | 0.2 | **not met** |",
                        "Not met: startup, R & D, JDK 17.", "Not measured: tls.", "integration-tests/benchmarks/run startup");
        for (String picture : List.of("budgets.svg", "startup.svg")) {
            var svg = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(docs.resolve("performance").resolve(picture).toFile());
            assertThat(svg.getElementsByTagName("rect").getLength()).as(picture).isPositive();
        }
    }

    @Test
    void whatWasSeenOverTimeIsAPicture() throws Exception {
        Report.write(docs, lines("{'name':'swap','value':0,'unit':'violations','budget':0,'ok':true,'detail':{'jdk':'25','cores':2,'seconds':3605,'requests':1000,"
                + "'OneClient':{'received':7,'heapBytes':[1048576,2097152],'threads':[3,3],'descriptors':[0,0],'slowestOf250Ms':[9,8]}}}"),
                LocalDate.of(2026, 1, 2), ALL);

        assertThat(Files.readString(docs.resolve("performance.md"))).contains("(performance/soak-agent.svg)", "| OneClient, received | 7 |").doesNotContain("[3,3]");
        var svg = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(docs.resolve("performance/soak-agent.svg").toFile());
        assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("Over 60 minutes, 1,000 requests");
        // A line of each quantity, and one that says of whom they are.
        assertThat(svg.getElementsByTagName("polyline").getLength()).isEqualTo(4 + 1);
    }

    @Test
    void whatIsNotMeasuredAgainKeepsItsFigures() throws Exception {
        Report.write(docs, lines(
                "{'name':'tls','value':1.1,'unit':'ratio','budget':1.03,'ok':false,'detail':{'jdk':'25','cores':2}}",
                "{'name':'tls-handshakes','value':1.2,'unit':'ratio','budget':1.03,'ok':false,'detail':{'jdk':'25','cores':2}}",
                "{'name':'swap','value':0.5,'unit':'ms','budget':1.0,'ok':true,'detail':{'jdk':'25','cores':2}}"),
                LocalDate.of(2026, 1, 2), ALL);
        String page = Files.readString(docs.resolve("performance.md"));
        assertThat(page.indexOf("2026-01-02")).isEqualTo(page.lastIndexOf("2026-01-02"));

        Report.write(docs, lines("{'name':'tls','value':1.0,'unit':'ratio','budget':1.03,'ok':true,'detail':{'jdk':'25','cores':2}}"),
                LocalDate.of(2026, 1, 3), ALL);
        page = Files.readString(docs.resolve("performance.md"));
        assertThat(page).contains("| swap | 0.5 ms |", "| tls | 1 ratio | 1.03 | met |", "Every budget is met.", "Not measured: startup.")
                .doesNotContain("tls-handshakes");
        assertThat(page.indexOf("## swap")).isLessThan(page.indexOf("## tls"));
        assertThat(page.substring(page.indexOf("## swap"), page.indexOf("## tls"))).contains("2026-01-02");
        assertThat(page.substring(page.indexOf("## tls"))).contains("2026-01-03");
    }

    @Test
    void eachLibraryKeepsItsFigureUntilItIsMeasuredAgain() throws Exception {
        List<String> all = List.of("tls", "libraries");
        String library = "{'name':'libraries','value':%s,'unit':'ratio','budget':1.03,'ok':%s,'detail':{'jdk':'25','cores':2,'rounds':5,'least':0.99,'most':1.05,"
                + "'cpuMicrosPerRequestOff':100.0,'p50Ratio':1.0,'p99Ratio':1.0,'library':'%s','side':'client','clientRatio':1.0,'serverRatio':1.0,'flatOutRatio':1.1}}";
        Report.write(docs, lines(library.formatted("1.01", true, "Apache"), library.formatted("1.08", false, "Orca")), LocalDate.of(2026, 1, 2), all);
        assertThat(Files.readString(docs.resolve("performance.md"))).contains("1 of 2 are within it | 1.03 | **not met** |", "Not met: Orca, client.");

        Report.write(docs, lines(library.formatted("1.02", true, "Orca")), LocalDate.of(2026, 1, 3), all);

        assertThat(Files.readString(docs.resolve("performance.md")))
                .contains("| Apache | client | 1.01 | 5: 0.99 to 1.05 |", "| Orca | client | 1.02 |", "2 of 2 are within it | 1.03 | met |", "Every budget is met.", "libraries.svg")
                .doesNotContain("1.08");
        assertThat(Files.readString(docs.resolve("performance/libraries.svg"))).contains("Orca, client", "2.0 % (-1.0 to 5.0)");
    }

    @Test
    void whatOfTheLibrariesIsNotMeasuredIsSaid() throws Exception {
        String line = "{'name':'%s','value':1.0,'unit':'ratio','budget':1.03,'ok':true,'detail':{'jdk':'25','cores':2,'library':'%s','side':'client'%s}}";
        String ratio = ",'rounds':3,'least':0.99,'most':1.05,'cpuMicrosPerRequestOff':100.0,'p50Ratio':1.0,'p99Ratio':1.0,'clientRatio':1.0,'serverRatio':1.0,'flatOutRatio':1.1";
        String share = ",'agentPercentOfClient':1.2,'agentPercentOfServer':0.1,'samples':9000";
        Report.write(docs, lines(line.formatted("libraries", "Apache", ratio), line.formatted("share", "Apache", share), line.formatted("share", "Orca", share)),
                LocalDate.of(2026, 1, 2), List.of("libraries", "share"));

        List<String> page = Files.readAllLines(docs.resolve("performance.md"));
        assertThat(page).contains("Not measured: Orca, client (libraries).");
        assertThat(page).filteredOn(row -> row.contains("flat out |") || row.startsWith("| Apache | client | 1 | 3: ")).hasSize(2)
                .allSatisfy(row -> assertThat(row.split("\\|")).hasSize(12));
    }

    @Test
    void theAgentsShareIsATableOfItsOwn() throws Exception {
        String share = "{'name':'share','value':%s,'unit':'%% of CPU','budget':3,'ok':%s,'detail':{'jdk':'25','cores':2,'library':'%s','side':'client',"
                + "'agentPercentOfClient':1.2,'agentPercentOfServer':0.1,'samples':9000}}";
        Report.write(docs, lines(share.formatted("0.9", true, "Apache"), share.formatted("4.1", false, "Orca")), LocalDate.of(2026, 1, 2), List.of("libraries", "share"));

        assertThat(Files.readString(docs.resolve("performance.md")))
                .contains("| Apache | client | 0.9 | 1.2 | 0.1 | 9000 | 25 |", "| Orca | client | 4.1, **not met** |", "| [share](#share) | 1 of 2 are within it | 3 | **not met** |",
                        "Not met: Orca, client (share).", "Not measured: libraries.")
                .doesNotContain("libraries.svg");
    }

    @Test
    void aFigureBelongsToTheBenchmarkWhoseNameItBeginsWith() throws Exception {
        Report.write(docs, lines("{'name':'soak-agent-failed','value':0,'unit':'requests','budget':0,'ok':true,'detail':{'jdk':'25','cores':2}}",
                "{'name':'envoy-p50','value':0.05,'unit':'ratio','budget':0.1,'ok':true,'detail':{'jdk':'25','cores':2}}"),
                LocalDate.of(2026, 1, 2), List.of("envoy", "soak", "soak-agent"));

        assertThat(Files.readString(docs.resolve("performance.md"))).contains("run envoy\n", "run soak-agent\n", "Not measured: soak.").doesNotContain("run envoy-p50");
    }

    private static List<JsonNode> lines(String... lines) {
        return Stream.of(lines).map(line -> {
            try {
                return new ObjectMapper().readTree(line.replace('\'', '"'));
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(line, e);
            }
        }).toList();
    }
}
