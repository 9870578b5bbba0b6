using System.Security.Cryptography;
using System.Text;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Stun;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>A check of a full agent as Chromium sends it, with what a test wants to be wrong about it.</summary>
internal sealed record Check(IceCredentials To)
{
    public bool UseCandidate { get; init; } = true;
    public bool IsControlled { get; init; }
    public uint? Priority { get; init; } = 1_853_824_767;
    public string? Password { get; init; }
    public string? Username { get; init; }
    public bool WithIntegrity { get; init; } = true;
    public bool WithFingerprint { get; init; } = true;
    public ushort? ExtraAttribute { get; init; }
    public StunClass Class { get; init; } = StunClass.Request;
    public byte[] TransactionId { get; init; } = RandomNumberGenerator.GetBytes(StunFormat.TransactionIdLength);

    public byte[] ToBytes()
    {
        var writer = new StunWriter(new byte[600], Class, StunFormat.Binding, TransactionId);
        writer.AddUsername(Encoding.ASCII.GetBytes(Username ?? $"{To.UsernameFragment}:Peer"));
        if (ExtraAttribute is { } extra)
            writer.AddBytes((StunAttributeType)extra, []);
        if (IsControlled)
            writer.AddIceControlled(ulong.MaxValue);
        else
            writer.AddIceControlling(7);
        if (UseCandidate)
            writer.AddUseCandidate();
        if (Priority is { } priority)
            writer.AddPriority(priority);
        if (WithIntegrity)
            writer.AddIntegrity(Encoding.ASCII.GetBytes(Password ?? To.Password));
        if (WithFingerprint)
            writer.AddFingerprint();
        return writer.Message.ToArray();
    }
}
