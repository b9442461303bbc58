package io.weft.agent.start;

import io.weft.admin.SocketDirectory;
import io.weft.agent.WeftAgent;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.settings.Setting;
import io.weft.agent.status.StatusCommand;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** {@code java -jar weft-agent.jar …} */
public final class CommandLine implements ToIntFunction<List<String>> {
    private static final int WRONG_USE = 2;

    @Override
    public int applyAsInt(List<String> arguments) {
        String command = arguments.isEmpty() ? "--help" : arguments.get(0);
        switch (command) {
            case "--help", "-h":
                Help.print(System.out);
                return 0;
            case "--version":
                System.out.println(AgentVersion.get());
                return 0;
            case "attach":
                return attach(arguments);
            case "status":
                return status(arguments.subList(1, arguments.size()));
            case "explain":
                return explain(arguments.subList(1, arguments.size()));
            case "config-dump":
                return configDump(arguments.subList(1, arguments.size()));
            default:
                System.err.println("weft-agent: unknown argument " + command + "; see --help");
                return WRONG_USE;
        }
    }

    private static int attach(List<String> arguments) {
        if (arguments.size() < 2 || !isNumber(arguments.get(1))) {
            return wrongUse("attach", "needs a process id");
        }
        List<String> settings = arguments.subList(2, arguments.size());
        for (String setting : settings) {
            if (setting.indexOf('=') <= 0) {
                return wrongUse("attach", "'" + setting + "' is not of the form SETTING=VALUE");
            }
        }
        Path agent = Path.of(URI.create(WeftAgent.class.getProtectionDomain().getCodeSource().getLocation().toString()));
        try {
            return Attach.to(arguments.get(1), String.join(",", settings), agent, System.out, System.err);
        } catch (NoClassDefFoundError noAttach) {
            System.err.println("weft attach: this Java runtime (" + System.getProperty("java.home")
                    + ") has no module jdk.attach; run it with the java of a JDK");
            return 1;
        }
    }

    private static int status(List<String> arguments) {
        List<Long> pids = new ArrayList<>();
        StatusCommand.Form form = null;
        boolean everywhere = false;
        SocketDirectory directory = null;
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("--all")) {
                everywhere = true;
            } else if (argument.equals("--verbose")) {
                form = StatusCommand.Form.EVERYTHING;
            } else if (argument.equals("--json")) {
                form = StatusCommand.Form.JSON;
            } else if (argument.equals("--dir") && i + 1 < arguments.size()) {
                directory = new SocketDirectory(Path.of(arguments.get(++i)));
            } else if (isNumber(argument) && argument.length() < 19) {
                pids.add(Long.parseLong(argument));
            } else {
                return wrongUse("status", "takes process ids, --all, --verbose, --json and --dir DIRECTORY, not " + argument);
            }
        }
        if (form == null) {
            form = pids.isEmpty() ? StatusCommand.Form.LINE : StatusCommand.Form.EVERYTHING;
        }
        StatusCommand command = new StatusCommand(System.out, System.err, form);
        if (everywhere && pids.isEmpty() && directory == null) {
            return command.everywhere(usual(System.getenv()));
        }
        return command.run(directory == null ? usual(System.getenv()) : directory, pids);
    }

    private static int explain(List<String> arguments) {
        List<String> positional = new ArrayList<>();
        List<String> headers = new ArrayList<>();
        boolean json = false;
        SocketDirectory directory = usual(System.getenv());
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("--json")) {
                json = true;
            } else if (argument.equals("--dir") && i + 1 < arguments.size()) {
                directory = new SocketDirectory(Path.of(arguments.get(++i)));
            } else if (argument.equals("-H") && i + 1 < arguments.size() && arguments.get(i + 1).indexOf(':') > 0) {
                headers.add(arguments.get(++i));
            } else if (argument.startsWith("-")) {
                return wrongUse("explain", "takes [PID] METHOD URL, -H 'NAME: VALUE', --json and --dir DIRECTORY, not " + argument);
            } else {
                positional.add(argument);
            }
        }
        List<Long> pids = new ArrayList<>();
        if (positional.size() == 3 && isNumber(positional.get(0)) && positional.get(0).length() < 19) {
            pids.add(Long.parseLong(positional.remove(0)));
        }
        if (positional.size() != 2 || isNumber(positional.get(0))) {
            return wrongUse("explain", "needs a method and a URL, as in: explain GET http://orders/");
        }
        StatusCommand.Question asked = new StatusCommand.Explain(positional.get(0), positional.get(1), headers, json);
        return new StatusCommand(System.out, System.err, asked).run(directory, pids);
    }

    private static int configDump(List<String> arguments) {
        List<Long> pids = new ArrayList<>();
        SocketDirectory directory = usual(System.getenv());
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("--dir") && i + 1 < arguments.size()) {
                directory = new SocketDirectory(Path.of(arguments.get(++i)));
            } else if (isNumber(argument) && argument.length() < 19) {
                pids.add(Long.parseLong(argument));
            } else {
                return wrongUse("config-dump", "takes a process id and --dir DIRECTORY, not " + argument);
            }
        }
        return new StatusCommand(System.out, System.err, new StatusCommand.Dump()).run(directory, pids);
    }

    /** In a container that the injector has put the agent into, the environment is that of the JVM that is asked. */
    static SocketDirectory usual(Map<String, String> environment) {
        String said = environment.getOrDefault(Setting.ADMIN_DIR.variable(), "").strip();
        return said.isEmpty() ? SocketDirectory.of(System.getProperty("user.name")) : new SocketDirectory(Path.of(said));
    }

    private static boolean isNumber(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return !text.isEmpty();
    }

    private static int wrongUse(String command, String problem) {
        System.err.println("weft " + command + ": " + problem + "; see --help");
        return WRONG_USE;
    }
}
