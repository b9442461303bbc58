package io.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.it.harness.Build;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is in the jars that users take, and what they say of it. */
class JarsIT {
    private static final long LARGEST_AGENT = 20 << 20;
    private static final String LICENSES = "META-INF/licenses/";
    /** They are Apache-2.0, and pass on the notices of others. */
    private static final Set<String> WITH_NOTICES_OF_THEIR_OWN = Set.of("io.netty", "com.fasterxml.jackson.core");

    static Stream<Path> jars() {
        return Stream.of(Build.agent(), Build.controlPlane());
    }

    @Test
    void theAgentIsSmall() throws IOException {
        assertThat(Files.size(Build.agent())).isLessThanOrEqualTo(LARGEST_AGENT);
    }

    @ParameterizedTest
    @MethodSource("jars")
    void eachComponentHasItsLicenceInTheJar(Path file) throws IOException {
        try (JarFile jar = new JarFile(file.toFile())) {
            Set<String> texts = names(jar, LICENSES);
            assertThat(texts).contains("Apache-2.0.txt");
            assertThat(jar.getEntry("META-INF/NOTICE")).isNotNull();
            Set<String> needed = new TreeSet<>();
            for (JsonNode component : components(jar)) {
                String group = component.path("group").asText();
                assertThat(component.path("licenses")).as("licences of " + component.path("purl").asText()).isNotEmpty();
                if (!isApache(component) || WITH_NOTICES_OF_THEIR_OWN.contains(group)) {
                    needed.add(group + ".txt");
                }
            }
            assertThat(texts).containsAll(needed);
        }
    }

    @Test
    void theAgentHasNothingElseInIt() throws IOException {
        try (JarFile jar = new JarFile(Build.agent().toFile())) {
            List<String> roots = List.of(
                    "com/fasterxml/jackson/core/", "com/google/protobuf/", "com/google/re2j/", "io/weft/", "java/lang/", "org/bouncycastle/", "org/objectweb/asm/");
            assertThat(names(jar, "weft/")).filteredOn(name -> name.endsWith(".classdata"))
                    .allMatch(name -> roots.stream().anyMatch(name::startsWith));
        }
    }

    private static boolean isApache(JsonNode component) {
        return component.path("licenses").findValuesAsText("id").contains("Apache-2.0");
    }

    private static JsonNode components(JarFile jar) throws IOException {
        Set<String> sbom = names(jar, "META-INF/sbom/");
        assumeFalse(sbom.isEmpty(), "built without a network, and so without a list of components");
        try (InputStream in = jar.getInputStream(jar.getEntry("META-INF/sbom/" + sbom.iterator().next()))) {
            JsonNode components = new ObjectMapper().readTree(in).get("components");
            assertThat(components).isNotEmpty();
            return components;
        }
    }

    /** Of files in a folder, from there on. */
    private static Set<String> names(JarFile jar, String folder) {
        return jar.stream()
                .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(folder))
                .map(entry -> entry.getName().substring(folder.length()))
                .collect(Collectors.toSet());
    }
}
