using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>
/// The STUN server of an ICE-lite endpoint (RFC 8445 §7.3, RFC 8489 §6.3, §9.1.3). Where the standard answers 401 (unknown user, wrong integrity) it
/// stays silent: a stranger learns nothing, and no answer goes to an address that a stranger made up. No answer is longer than its request.
/// </summary>
internal sealed class IceCheckResponder(IceDirectory directory, IceConsent consent, TransportCounters counters)
{
    private const int MaxAnswerLength = 128;

    /// <summary>Answers one datagram that looks like STUN.</summary>
    /// <returns><see langword="true"/> when it was an authenticated check that gave or kept a validated pair.</returns>
    public bool Answer(IDatagramOrigin origin, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryParse(datagram, out var message, out _))
            return Drop(DropReason.MalformedStun);
        if (message.Method != StunFormat.Binding || message.Class != StunClass.Request)
            return Drop(DropReason.UnexpectedStun);   // a lite agent asks nothing; indications only keep NATs open
        if (!message.HasValidFingerprint())
            return Drop(DropReason.WrongFingerprint);
        if (directory.Find(message.Username) is not { } generation)
            return Drop(DropReason.UnknownFragment);
        if (!message.HasIntegrity)
        {
            Refuse(origin, message, [], 400, "Bad Request");
            return Drop(DropReason.WrongIntegrity);
        }
        if (!message.HasValidIntegrity(generation.Key))
            return Drop(DropReason.WrongIntegrity);
        return AnswerAuthentic(origin, message, generation);
    }

    private bool AnswerAuthentic(IDatagramOrigin origin, scoped in StunMessage message, IceGeneration generation)
    {
        if (message.UnknownAttributeCount > 0)
            return Refuse(origin, message, generation.Key, 420, "Unknown Attribute");
        if (message.IceControlled is not null)   // a lite agent cannot nominate, so it keeps its role whatever the tie-breaker (RFC 8445 §7.3.1.1)
            return Refuse(origin, message, generation.Key, 487, "Role Conflict");
        if (!FreeAddress(origin.Pair, generation.Agent))
            return Drop(DropReason.AddressTaken);
        if (!generation.Agent.Accept(origin, generation, message.Priority, message.UseCandidate))
            return Refuse(origin, message, generation.Key, 400, "Bad Request");

        counters.Received(DatagramKind.Stun);
        var answer = new StunWriter(stackalloc byte[MaxAnswerLength], StunClass.SuccessResponse, StunFormat.Binding, message.TransactionId);
        answer.AddXorMappedAddress(origin.Remote);
        Send(origin, message, ref answer, generation.Key);
        generation.Agent.TellState();
        return true;
    }

    /// <summary>
    /// One address carries one call: media is told apart by it. The first call keeps it while its checks go on, so that nobody takes a stranger's address
    /// by checks with a forged source.
    /// </summary>
    private bool FreeAddress(IcePair? pair, IceLiteAgent agent)
    {
        if (pair is null || pair.Agent == agent)
            return true;
        if (consent.IsFresh(pair))
            return false;
        pair.Agent.Remove(pair);
        return true;
    }

    private bool Refuse(IDatagramOrigin origin, scoped in StunMessage request, ReadOnlySpan<byte> key, int code, string reason)
    {
        counters.Refused(code);
        var answer = new StunWriter(stackalloc byte[MaxAnswerLength], StunClass.ErrorResponse, StunFormat.Binding, request.TransactionId);
        var rest = StunFormat.HeaderLength + 8 + (2 * request.UnknownAttributeCount + 7 & ~3) + (key.IsEmpty ? 0 : 24) + 8;
        answer.AddErrorCode(code, rest + reason.Length + 3 > request.Length ? "" : reason);   // the phrase is for people (RFC 8489 §14.8)
        if (code == 420)
            answer.AddUnknownAttributes(request);
        Send(origin, request, ref answer, key);
        return false;
    }

    private void Send(IDatagramOrigin origin, scoped in StunMessage request, scoped ref StunWriter answer, ReadOnlySpan<byte> key)
    {
        if (!key.IsEmpty)
            answer.AddIntegrity(key);
        answer.AddFingerprint();
        if (answer.Length > request.Length)
            counters.Dropped(DropReason.WouldAmplify);
        else
            origin.Reply(answer.Message);
    }

    private bool Drop(DropReason reason)
    {
        counters.Dropped(reason);
        return false;
    }
}
