using System.Buffers.Binary;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Tests.Transport;

namespace VoiceGrains.WebRtc.Tests.Stun;

public sealed class StunFuzzTests
{
    private static readonly IceCredentials Someone = new("abcdefgh", "0123456789abcdefghijklmn");

    [Fact]
    public void AMutatedMessage_IsReadOrRefused_AndNeverAuthenticWhenItsProtectedPartChanged()
    {
        foreach (var seed in FuzzTime.Cases())
        {
            var random = new Random(seed);
            var original = new Check(Someone) { Priority = (uint)seed, UseCandidate = seed % 2 == 0, TransactionId = new byte[12] }.ToBytes();
            var bytes = FuzzTime.Mutate(random, original);
            if (bytes.Length >= 4 && random.Next(2) == 0)   // half of them keep the first hurdle, the length
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(bytes.Length - 20));
            try
            {
                Use(bytes, original);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, {Convert.ToHexStringLower(bytes)}: {exception}");
            }
        }
    }

    private static void Use(byte[] bytes, byte[] original)
    {
        if (!StunMessage.TryParse(bytes, out var message, out var error))
        {
            Assert.NotEqual(StunFault.None, error.Fault);
            Assert.InRange(error.Offset, 0, bytes.Length);
            return;
        }
        _ = message.HasValidFingerprint();
        _ = message.TryGetMappedAddress(out _);
        for (var i = 0; i < message.UnknownAttributeCount; i++)
            Assert.True(message.UnknownAttribute(i) < 0x8000);
        if (!message.HasValidIntegrity("0123456789abcdefghijklmn"u8))
            return;
        var covered = original.Length - 32;   // before MESSAGE-INTEGRITY and FINGERPRINT; the length is told apart
        Assert.Equal(original.AsSpan(4, covered - 4), bytes.AsSpan(4, covered - 4));
    }
}
