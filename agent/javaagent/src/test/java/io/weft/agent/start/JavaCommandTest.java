package io.weft.agent.start;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaCommandTest {

    @ParameterizedTest
    @ValueSource(strings = {"jdk.compiler/com.sun.tools.javac.Main -d out A.java", "jdk.jcmd/sun.tools.jcmd.JCmd", "java.base/sun.security.tools.keytool.Main -list",
        "jdk.jartool/sun.tools.jar.Main", "jdk.httpserver", "com.sun.tools.javac.Main A.java",
        "org.codehaus.plexus.classworlds.launcher.Launcher verify", "org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5",
        "org.gradle.wrapper.GradleWrapperMain build", "/repo/gradle/wrapper/gradle-wrapper.jar build",
        "C:\\repo\\.mvn\\wrapper\\maven-wrapper.jar", "/usr/share/sbt/bin/sbt-launch.jar", "xsbt.boot.Boot", "weft-agent.jar --help"})
    void toolsAreLeftAlone(String command) {
        assertThat(new JavaCommand("SUN_STANDARD", command).isTool()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"com.example.Main", "app.jar", "/opt/javac/app.jar keytool", "com.example/com.example.Main", "org.apache.catalina.startup.Bootstrap start",
        "worker.org.gradle.process.internal.worker.GradleWorkerMain 'Gradle Test Executor 1'", "jdk.compiler/com.sun.tools.javac.launcher.Main App.java",
        "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher App.java", "java.example.Main"})
    void appsAreNot(String command) {
        assertThat(new JavaCommand("SUN_STANDARD", command).isTool()).isFalse();
    }

    @Test
    void launcherThatRunsNothing() {
        assertThat(new JavaCommand("SUN_STANDARD", null).isTool()).isTrue();
    }

    @Test
    void programThatEmbedsTheJvm() {
        assertThat(new JavaCommand(null, null).isTool()).isFalse();
    }
}
