package io.weft.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import io.weft.instrumentation.sample.SampleModule;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryVersionTest {
    private static final List<String> CLASSES = List.of("sample/library/Greeter.class", "sample/library/Base.class");
    private static final String POM = "META-INF/maven/com.example/sample/pom.properties";
    private static final InstrumentationModule MODULE = SampleModule.module().released(Releases.of(List.of("com.example:sample-all", "com.example:sample"), "1"));

    @TempDir
    private Path folder;

    @Test
    void aJarOfTheLibraryTellsItByItsName() throws Exception {
        assertThat(version(jar("sample-1.2.3.Final.jar", "7", Map.of(POM, "version=8")))).isEqualTo("1.2.3.Final");
        assertThat(version(jar("sample-all-1.4.jar", "7", Map.of()))).isEqualTo("1.4");
    }

    @Test
    void oneWithoutAVersionInItsNameByItsManifest() throws Exception {
        assertThat(version(jar("sample.jar", "1.2.3", Map.of()))).isEqualTo("1.2.3");
    }

    /** The name, the version in it and the manifest are the app's. */
    @Test
    void aJarWithAnAppAndAllThatItNeedsByWhatMavenHasLeftInItOrNotAtAll() throws Exception {
        assertThat(version(jar("shop-3.1.jar", "3.1", Map.of(POM, "version=1.2.3")))).isEqualTo("1.2.3");
        assertThat(version(jar("shop-3.1.jar", "3.1", Map.of()))).isEmpty();
        assertThat(version(jar("sample-extras-3.1.jar", "3.1", Map.of()))).isEmpty();
    }

    @Test
    void whatIsInAnotherJarTellsNothingOfThisOne() throws Exception {
        Path other = jar("other.jar", "3.1", Map.of(POM, "version=9"));
        Path app = jar("shop.jar", "3.1", Map.of());
        try (URLClassLoader loader = new URLClassLoader(new URL[] {app.toUri().toURL(), other.toUri().toURL()}, null)) {
            assertThat(LibraryVersion.of(MODULE, LibraryJar.location(MODULE, ClassFiles.of(loader, "", null), null), loader)).isEmpty();
        }
    }

    @Test
    void aCopyUnderAnotherNameTellsNone() throws Exception {
        Path jar = jar("sample-1.2.3.jar", "1.2.3", Map.of());
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            assertThat(LibraryVersion.of(MODULE.at("com.vendor."), LibraryJar.location(MODULE, ClassFiles.of(loader, "", null), null), loader)).isEmpty();
        }
    }

    @Test
    void whatComesWithTheJdkHasItsVersion() {
        assertThat(LibraryVersion.of(SampleModule.module().released(Releases.ofJdk("17 to 25")), "", null))
                .isEqualTo(Integer.toString(Runtime.version().feature()));
    }

    private static String version(Path jar) throws Exception {
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            loader.loadClass("sample.library.Greeter");
            return LibraryVersion.of(MODULE, LibraryJar.location(MODULE, ClassFiles.of(loader, "", null), null), loader);
        }
    }

    private Path jar(String fileName, String implementationVersion, Map<String, String> more) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.IMPLEMENTATION_VERSION, implementationVersion);
        Path jar = Files.createTempDirectory(folder, "lib").resolve(fileName);
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (String name : CLASSES) {
                out.putNextEntry(new JarEntry(name));
                try (InputStream classFile = LibraryVersionTest.class.getClassLoader().getResourceAsStream(name)) {
                    classFile.transferTo(out);
                }
            }
            for (Map.Entry<String, String> file : more.entrySet()) {
                out.putNextEntry(new JarEntry(file.getKey()));
                out.write((file.getValue() + "\n").getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        return jar;
    }
}
