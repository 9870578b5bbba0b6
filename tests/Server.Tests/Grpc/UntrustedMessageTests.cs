using System.Buffers;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>What fuzzing found the parser to trip over.</summary>
public sealed class UntrustedMessageTests
{
    [Theory]
    [InlineData("12FFFFFFFF07")]            // an inner message of 2 GiB less a byte, which is where its end overflows
    [InlineData("12FFFFFFFF0712")]
    [InlineData("12FFFFFFFF0780")]
    [InlineData("1280FFFFFF07FF")]
    [InlineData("12FFFFFFFF0F")]            // one of a negative length
    [InlineData("12FFFFFFFFFF")]
    [InlineData("1205")]
    public void ALengthBeyondTheMessage_IsRefused(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.False(UntrustedMessage.TryParse<DataPacket>(DataPacket.Parser, bytes.AsSpan(), out _));
        Assert.False(UntrustedMessage.TryParse<DataPacket>(DataPacket.Parser, new ReadOnlySequence<byte>(bytes), out _));
    }
}
