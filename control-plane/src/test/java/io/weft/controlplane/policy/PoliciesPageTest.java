package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code docs/policies.md} shows nothing that would be refused, and leaves out no policy. */
class PoliciesPageTest {

    private static final Path PAGE = Path.of("..", "docs", "policies.md");
    private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

    static List<String> examples() throws IOException {
        List<String> examples = new ArrayList<>();
        Matcher matcher = EXAMPLE.matcher(Files.readString(PAGE));
        while (matcher.find()) {
            examples.add(matcher.group(1));
        }
        return examples;
    }

    @ParameterizedTest
    @MethodSource("examples")
    void anExampleIsInOrder(String example) {
        List<Document> documents = new ResourceParser().parseFile("policies.md", example);
        assertThat(documents).hasSize(1);
        assertThat(documents.get(0).problems()).isEmpty();
        assertThat(documents.get(0).resource()).isPresent();
    }

    @Test
    void everyPolicyHasASection() throws IOException {
        String page = Files.readString(PAGE);
        Stream.concat(PolicyKinds.ALL.stream().map(PolicyKind::name), Stream.of(
                        "MeshHTTPRoute", "MeshTCPRoute", "MeshOpenTelemetryBackend", "MeshTLS", "MeshTrafficPermission", "MeshExternalService", "MeshMultiZoneService"))
                .forEach(kind -> assertThat(page).contains("\n## " + kind + "\n").contains("type: " + kind + "\n"));
    }
}
