package io.weft.agent.start;

import java.util.List;
import java.util.function.ToIntFunction;

/** {@code java -jar weft-agent.jar …} */
public final class CommandLine implements ToIntFunction<List<String>> {
    @Override
    public int applyAsInt(List<String> arguments) {
        if (arguments.equals(List.of("--version"))) {
            System.out.println(AgentVersion.get());
            return 0;
        }
        if (arguments.isEmpty() || arguments.equals(List.of("--help")) || arguments.equals(List.of("-h"))) {
            Help.print(System.out);
            return 0;
        }
        System.err.println("weft-agent: unknown argument " + arguments.get(0) + "; see --help");
        return 2;
    }
}
