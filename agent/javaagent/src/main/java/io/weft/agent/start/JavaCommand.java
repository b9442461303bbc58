package io.weft.agent.start;

/**
 * What this JVM was started to run, as far as the launcher says it. Under {@code JAVA_TOOL_OPTIONS} every JVM of a shell gets
 * the agent, so tools must be told from apps.
 *
 * @param launcher the property {@code sun.java.launcher}; null when a program embeds the JVM
 * @param command the property {@code sun.java.command}: a main class, a module with or without its main class, or a jar, and the
 *     arguments; null when the JVM runs nothing, as with {@code -version}
 */
record JavaCommand(String launcher, String command) {

    /** Main classes and packages of them; a package ends with a dot. */
    private static final String[] TOOLS = {
        "org.codehaus.plexus.classworlds.launcher.", // Maven
        "org.codehaus.classworlds.",
        "org.apache.maven.wrapper.",
        "org.mvndaemon.mvnd.",
        "org.gradle.launcher.", // client and daemon; not the workers that run an app's tests
        "org.gradle.wrapper.",
        "org.apache.tools.ant.launch.",
        "org.apache.ivy.Main",
        "sbt.",
        "xsbt.boot.",
        "coursier.",
        "scala.tools.nsc.",
        "dotty.tools.",
        "bloop.",
        "org.jetbrains.kotlin.cli.",
        "org.jetbrains.kotlin.daemon.",
        "org.jetbrains.kotlin.preloading.",
        "org.codehaus.groovy.tools.",
        "org.jetbrains.jps.",
        "org.eclipse.jdt.internal.compiler.",
        "sun.tools.",
        "com.sun.tools.",
        "jdk.internal.",
        "jdk.tools.",
    };

    private static final String[] TOOL_JARS = {"gradle-wrapper", "maven-wrapper", "sbt-launch", "ant-launcher", "weft-agent"};

    static JavaCommand ofThisJvm() {
        return new JavaCommand(System.getProperty("sun.java.launcher"), System.getProperty("sun.java.command"));
    }

    boolean isTool() {
        if (command == null || command.isEmpty()) {
            return "SUN_STANDARD".equals(launcher);
        }
        int space = command.indexOf(' ');
        String main = space < 0 ? command : command.substring(0, space);
        // "java Some.java": the compiler's launcher compiles in memory and then runs the app itself.
        if (main.startsWith("jdk.compiler/com.sun.tools.javac.launcher.")) {
            return false;
        }
        if (isJdkModule(main)) {
            return true;
        }
        for (String tool : TOOLS) {
            if (tool.endsWith(".") ? main.startsWith(tool) : main.equals(tool)) {
                return true;
            }
        }
        String file = main.substring(Math.max(main.lastIndexOf('/'), main.lastIndexOf('\\')) + 1);
        if (file.endsWith(".jar")) {
            for (String jar : TOOL_JARS) {
                if (file.startsWith(jar)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** A module of the JDK as the main module: javac, jcmd, keytool and all the others. */
    private static boolean isJdkModule(String main) {
        int slash = main.indexOf('/');
        String module = slash < 0 ? main : main.substring(0, slash);
        boolean jdk = module.startsWith("java.") || module.startsWith("jdk.");
        return jdk && (slash >= 0 || ModuleLayer.boot().findModule(module).isPresent());
    }
}
