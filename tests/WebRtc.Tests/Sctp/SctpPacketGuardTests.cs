using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

public sealed class SctpPacketGuardTests
{
    private const string Header = "138813880000000000000000";
    private const string Init = "AF5880960002000004000400E365D602";

    [Theory]
    [InlineData("0100001C" + Init + "C000000480080008C0820000", false)]     // a parameter longer than its chunk
    [InlineData("01000020" + Init + "C000000480080006C0820000", true)]      // as browsers send it, with its last padding
    [InlineData("01000018" + Init + "80080000", false)]                     // found by fuzzing: a parameter of length 0 keeps the library busy for ever
    [InlineData("02000018" + Init + "80080003", false)]
    [InlineData("0100001C" + Init + "000500087F000001", false)]             // an address to send to
    [InlineData("0100000800000001", false)]                                 // an INIT that ends in its fixed part
    [InlineData("03000010000000010000000000000000", true)]
    [InlineData("0A00000401000014" + Init, true)]                           // two chunks
    [InlineData("0A0000050100000004000004", true)]                          // padding between them
    [InlineData("0A000003", false)]                                         // a chunk shorter than its head
    [InlineData("0A000009AABBCCDD", false)]                                 // longer than the packet
    [InlineData("0A00000400", false)]                                       // a byte that is no chunk
    [InlineData("0A000006AABB", true)]                                      // the last padding may be missing
    [InlineData("0F000004", false)]                                         // AUTH
    [InlineData("C1000008AABBCCDD", false)]                                 // ASCONF
    [InlineData("82000008000D0000", false)]                                 // a request of length 0
    [InlineData("82000008000D0004", true)]
    [InlineData("84000008AABBCCDD", true)]                                  // PAD
    [InlineData("", false)]
    public void Allows_WhatADataChannelNeeds(string chunks, bool isAllowed) =>
        Assert.Equal(isAllowed, SctpPacketGuard.Allows(Convert.FromHexString(Header + chunks)));

    [Fact]
    public void Allows_PacketsForOurPortsAlone()
    {
        Assert.True(SctpPacketGuard.Allows(Convert.FromHexString(Header + "0A000004")));
        Assert.False(SctpPacketGuard.Allows(Convert.FromHexString("138913880000000000000000" + "0A000004")));
        Assert.False(SctpPacketGuard.Allows(Convert.FromHexString("138813890000000000000000" + "0A000004")));
    }
}
