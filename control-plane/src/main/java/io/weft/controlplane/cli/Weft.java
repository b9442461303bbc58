package io.weft.controlplane.cli;

import io.weft.controlplane.demo.DemoCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line. A new subcommand is one more class in the list. */
@Command(
        name = "weft",
        description = "A service mesh that lives inside the JVM.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ControlPlaneCommand.class,
            InjectorCommand.class,
            ReachCommand.class,
            PolicyCommand.class,
            TokenCommand.class,
            CaCommand.class,
            AttachCommand.class,
            StatusCommand.class,
            DiffCommand.class,
            ExplainCommand.class,
            ConfigDumpCommand.class,
            CanaryCommand.class,
            DemoCommand.class,
            CommandLine.HelpCommand.class,
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:not done; the reason is on stderr", "2:wrong usage"})
public final class Weft {

    private static final int HELP_WIDTH = 120;

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Weft())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(HELP_WIDTH)
                .setParameterExceptionHandler(new UsageErrors())
                .registerConverter(java.time.Duration.class, DurationConverter::parse)
                .registerConverter(Percent.class, Percent::parse)
                .registerConverter(ListenAddress.class, ListenAddress::parse);
    }
}
