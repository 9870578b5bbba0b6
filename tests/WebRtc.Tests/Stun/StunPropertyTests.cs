using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Stun;

public sealed class StunPropertyTests
{
    [Fact]
    public void WhatIsWritten_IsReadBack() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        var random = new Random(seed);
        byte[] transaction = Bytes(random, 12), username = Bytes(random, random.Next(1, 300)), key = Bytes(random, random.Next(0, 100));
        var address = TransportAddress.FromBytes(Bytes(random, random.Next(2) == 0 ? 4 : 16), (ushort)random.Next(65_536));
        var (priority, tieBreaker, code) = ((uint)random.NextInt64(1L << 32), (ulong)random.NextInt64(), random.Next(300, 700));
        var writer = new StunWriter(new byte[800], StunClass.Request, StunFormat.Binding, transaction);
        writer.AddUsername(username);
        writer.AddXorMappedAddress(address);
        writer.AddPriority(priority);
        writer.AddIceControlling(tieBreaker);
        writer.AddErrorCode(code, "why");
        writer.AddIntegrity(key);
        writer.AddFingerprint();

        return StunMessage.TryParse(writer.Message, out var read, out _) && read.TransactionId.SequenceEqual(transaction) && read.Username.SequenceEqual(username)
            && read.TryGetMappedAddress(out var readAddress) && readAddress.Equals(address) && read.Priority == priority && read.IceControlling == tieBreaker
            && read.ErrorCode == code && read.HasValidIntegrity(key) && read.HasValidFingerprint() && !read.HasValidIntegrity([.. key, 1]);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnyBytes_AreReadOrRefused_WithAFaultWithinThem()
        => Prop.ForAll<byte[]>(bytes => StunMessage.TryParse(bytes, out _, out var error) || (error.Fault != StunFault.None && error.Offset <= bytes.Length))
            .QuickCheckThrowOnFailure();

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
