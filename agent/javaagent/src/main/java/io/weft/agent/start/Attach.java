package io.weft.agent.start;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Brings the agent into a JVM that runs already. Needs the module jdk.attach, which not every runtime has. */
final class Attach {
    private static final int SIGQUIT = 3;

    private Attach() {}

    /**
     * @param argument of the agent
     * @return exit status
     */
    static int to(String pid, String argument, Path agent, PrintStream out, PrintStream err) {
        if (wouldDieOfQuit(pid)) {
            err.println("weft attach: cannot attach to " + pid + ": it is no JVM, or one that was started with -Xrs");
            return 1;
        }
        VirtualMachine target;
        try {
            target = VirtualMachine.attach(pid);
        } catch (AttachNotSupportedException | IOException refused) {
            err.println("weft attach: cannot attach to " + pid + ": " + refused.getMessage()
                    + "; is it a JVM of this user, and started without -XX:+DisableAttachMechanism?");
            return 1;
        }
        try {
            target.loadAgent(agent.toAbsolutePath().toString(), argument);
            String outcome = target.getSystemProperties().getProperty(OnAttach.OUTCOME, "it does not say whether it started");
            boolean started = outcome.startsWith(OnAttach.STARTED);
            (started ? out : err).println("weft attach: " + pid + ": " + outcome);
            return started ? 0 : 1;
        } catch (AgentLoadException | AgentInitializationException | IOException failed) {
            err.println("weft attach: " + pid + " cannot load the agent: " + failed.getMessage());
            return 1;
        } finally {
            try {
                target.detach();
            } catch (IOException gone) {
                err.println("weft attach: " + pid + " ended meanwhile: " + gone.getMessage());
            }
        }
    }

    /**
     * To attach begins with a SIGQUIT, which ends a process that does not handle it as a JVM does. Only Linux says beforehand, in
     * the mask of caught signals (proc(5)).
     */
    private static boolean wouldDieOfQuit(String pid) {
        Path status = Path.of("/proc", pid, "status");
        if (!Files.isReadable(status)) {
            return false;
        }
        try {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith("SigCgt:")) {
                    long caught = Long.parseUnsignedLong(line.substring("SigCgt:".length()).strip(), 16);
                    return (caught & 1L << SIGQUIT - 1) == 0;
                }
            }
            return false;
        } catch (IOException gone) {
            return false;
        }
    }
}
