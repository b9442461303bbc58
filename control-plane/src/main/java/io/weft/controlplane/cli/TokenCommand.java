package io.weft.controlplane.cli;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.Spelling;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.token.InvalidTokenException;
import io.weft.controlplane.token.RevokedTokens;
import io.weft.controlplane.token.Token;
import io.weft.controlplane.token.TokenKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "token",
        description = {
            "Prints a token that proves to the control plane which service its bearer is.",
            "",
            "Write it to a file that only the service can read, and name that to the agent as WEFT_CONTROL_PLANE_TOKEN_FILE. The file is"
                    + " read anew for each connection, so replace it before the token expires. Whoever has a token can be the service.",
            "",
            "With --operator the token lets its bearer change policies by the control plane's web page, in every mesh, and is no service's.",
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "[COMMAND]",
        subcommands = TokenCommand.Revoke.class,
        footer = {"", "Example: weft token --policies ./policies --mesh default --service orders --valid-for 24h > orders.token"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the token is on stdout", "1:the key cannot be used; the reason is on stderr", "2:wrong usage"})
final class TokenCommand implements Callable<Integer> {

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9._-]{0,250}[a-zA-Z0-9])?");

    @Spec
    private CommandSpec spec;

    @Mixin
    private StateFolder folder;

    @Option(names = "--mesh", paramLabel = "NAME", defaultValue = "default", description = "Default: ${DEFAULT-VALUE}.")
    private String mesh;

    @Option(names = "--service", paramLabel = "NAME", description = "The service: the agent's WEFT_SERVICE. Required, but for an operator.")
    private String service;

    @Option(names = "--operator", description = "For an operator at the control plane's web page.")
    private boolean operator;

    @Option(names = "--valid-for", paramLabel = "TIME", defaultValue = "24h", description = "As 30m or 24h. Default: ${DEFAULT-VALUE}.")
    private Duration validFor;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (operator == (service != null)) {
            throw operator
                    ? new ParameterException(spec.commandLine(), "--operator and --service exclude each other")
                    : new ParameterException(spec.commandLine(), "Missing required option: '--service=NAME'");
        }
        if (validFor.isZero()) {
            throw new ParameterException(spec.commandLine(), "Invalid value for option '--valid-for': it must be above zero");
        }
        name("--mesh", mesh);
        if (service != null) {
            name("--service", service);
        }
        try {
            TokenKey key = TokenKey.in(folder.path(), Clock.systemUTC());
            out.println(operator ? key.issueForOperator(validFor) : key.issue(mesh, service, validFor));
            if (!operator) {
                warn(err);
            }
        } catch (IOException e) {
            err.println("weft token: " + e.getMessage());
            return 1;
        }
        out.flush();
        return 0;
    }

    /** A token may well come before its service. */
    private void warn(PrintWriter err) {
        Set<String> known = known();
        String meant = Spelling.suggestion(service, known);
        if (!known.contains(service) && !meant.isEmpty()) {
            err.println("weft token: warning: service " + service + " is not known here yet" + meant);
            err.flush();
        }
    }

    /** Services of the mesh that have been connected or are described by policy files; what cannot be read has none. */
    private Set<String> known() {
        Set<String> known = new TreeSet<>();
        try {
            for (SavedRegistration registration : new StateFile(folder.path()).read()) {
                if (registration.id().startsWith(mesh + ".")) {
                    known.add(registration.service());
                }
            }
            if (folder.policies().isPresent()) {
                new PolicyHistory(new ResourceParser())
                        .update(new FolderReader(folder.policies().get()).read())
                        .all(MeshService.class, mesh)
                        .forEach(described -> known.add(described.metadata().displayName()));
            }
        } catch (IOException unreadable) {
            return known;
        }
        return known;
    }

    private void name(String option, String value) {
        if (!NAME.matcher(value).matches()) {
            throw new ParameterException(spec.commandLine(), "Invalid value for option '" + option + "': '" + value
                    + "' is no name; it takes letters, digits, '.', '-' and '_'");
        }
    }

    @Command(
            name = "revoke",
            description = {
                "Has a token prove nothing any more, though it has not expired.",
                "",
                "A second later the control plane knows: the data plane that came with it is turned away, and whoever comes with it gets neither"
                        + " policy nor certificate. Certificates that were given before stay valid until they expire.",
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {"", "Example: weft token revoke --policies ./policies orders.token"},
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:it is revoked", "1:it is not; the reason is on stderr", "2:wrong usage"})
    static final class Revoke implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Mixin
        private StateFolder folder;

        @Option(names = "--operator", description = "It is an operator's.")
        private boolean operator;

        @Parameters(paramLabel = "FILE", description = "The file with the token.")
        private Path file;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            try {
                Path state = folder.path();
                TokenKey key = TokenKey.in(state, Clock.systemUTC());
                String compact = Files.readString(file).strip();
                Token token = operator ? key.readOperator(compact) : key.read(compact);
                RevokedTokens.revoke(state, token);
                out.println("revoked: a token of " + (operator ? "an operator" : "service " + token.service() + " in mesh " + token.mesh())
                        + ", which would have expired on " + token.expires());
            } catch (NoSuchFileException none) {
                spec.commandLine().getErr().println("weft token revoke: there is no file " + none.getFile() + "; name the one that holds the token");
                return 1;
            } catch (IOException | InvalidTokenException e) {
                spec.commandLine().getErr().println("weft token revoke: " + file + ": " + e.getMessage());
                return 1;
            }
            out.flush();
            return 0;
        }
    }
}
