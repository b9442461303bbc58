package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RelocationTest {
    private static final Relocation SHADED = new Relocation("io.netty", "io.grpc.netty.shaded.");

    @Test
    void namesOfTheLibraryAreThoseOfTheCopy() {
        assertThat(SHADED.apply("io.netty.channel.Channel")).isEqualTo("io.grpc.netty.shaded.io.netty.channel.Channel");
        assertThat(SHADED.apply("io/netty/channel/Channel")).isEqualTo("io/grpc/netty/shaded/io/netty/channel/Channel");
        assertThat(SHADED.apply("[Lio/netty/channel/Channel;")).isEqualTo("[Lio/grpc/netty/shaded/io/netty/channel/Channel;");
        assertThat(SHADED.apply("(ILio/netty/a/B;Lio/netty/c/D;)Ljava/util/List<Lio/netty/e/F;>;"))
                .isEqualTo("(ILio/grpc/netty/shaded/io/netty/a/B;Lio/grpc/netty/shaded/io/netty/c/D;)"
                        + "Ljava/util/List<Lio/grpc/netty/shaded/io/netty/e/F;>;");
    }

    @Test
    void otherNamesAreLeftAlone() {
        for (String other : List.of(
                "io.grpc.netty.shaded.io.netty.channel.Channel",
                "io/weft/instrumentation/netty/Gate",
                "studio.netty.Channel",
                "io.nettyx.Channel",
                "io.netty",
                "")) {
            assertThat(SHADED.apply(other)).isEqualTo(other);
        }
        assertThat(Relocation.NONE.apply("io.netty.channel.Channel")).isEqualTo("io.netty.channel.Channel");
    }

    @Test
    void aModuleForACopyWeavesNothingElse() {
        InstrumentationModule module = new InstrumentationModule(
                "netty", "4", "io.weft.Adapter", List.of(),
                List.of(
                        Hook.around("read", "io.netty.channel.Reader", "read", "(Lio/netty/channel/Channel;)V"),
                        Hook.around("read", "reactor.netty.Reader", "read", "()V").whenPresent()))
                .wherever("io.netty");

        InstrumentationModule copy = module.at("com.vendor.");

        assertThat(copy.name()).isEqualTo("netty at com.vendor.io.netty");
        assertThat(copy.hooks()).containsExactly(Hook.around(
                "read", "com.vendor.io.netty.channel.Reader", "read", "(Lcom/vendor/io/netty/channel/Channel;)V"));
    }
}
