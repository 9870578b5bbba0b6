namespace VoiceGrains.WebRtc.Sdp;

/// <summary>What becomes of one section of the offer.</summary>
internal enum SectionUse { Rejected, Inactive, Send, Receive, SendReceive, Data }

internal sealed record NegotiatedSection(SdpMedia Offered, SectionUse Use)
{
    public bool Sends => Use is SectionUse.Send or SectionUse.SendReceive;
    public bool Receives => Use is SectionUse.Receive or SectionUse.SendReceive;

    /// <summary>Lost packets of this section are asked for again, by whichever side misses them.</summary>
    public bool HasNack { get; init; }
}

/// <summary>
/// The outcome of one offer (JSEP, RFC 9429 §5.3): everything in one bundle, one section that carries the agent's audio for as long as it lives, microphones up
/// to a limit, one section of data channels, and every other one inactive. Immutable: an offer that is refused leaves the former outcome as it was.
/// </summary>
internal sealed class Negotiation
{
    public required IReadOnlyList<NegotiatedSection> Sections { get; init; }

    /// <summary>The section whose transport attributes count for all: the first of the bundle that is accepted (RFC 9143 §7.3.1).</summary>
    public required SdpMedia Transport { get; init; }

    /// <summary>The section of the agent's audio; null until the client offers to receive some.</summary>
    public string? AgentMid { get; init; }

    /// <summary>This side starts DTLS: a=setup:active.</summary>
    public required bool IsDtlsClient { get; init; }
    public required bool AllowsMixedExtensions { get; init; }

    /// <summary>The mids of the answer's group, in the offer's order.</summary>
    public required IReadOnlyList<string> Bundle { get; init; }

    public NegotiatedSection? Agent => Sections.FirstOrDefault(section => section.Sends);
    public NegotiatedSection? Data => Sections.FirstOrDefault(section => section.Use == SectionUse.Data);
    public IEnumerable<NegotiatedSection> Microphones => Sections.Where(section => section.Receives);

    /// <summary>New credentials ask for new ones of ours, too (RFC 8839 §4.4.1.1).</summary>
    public bool IsIceRestartOf(Negotiation previous)
        => Transport.UsernameFragment != previous.Transport.UsernameFragment || Transport.Password != previous.Transport.Password;

    /// <summary>Decides about an offer.</summary>
    /// <param name="previous">The outcome before; null for the first offer.</param>
    /// <param name="maxMicrophones">How many sections of the client may send at the same time; further ones are answered inactive.</param>
    /// <param name="allowsNack">Agree on NACK where the client offers it.</param>
    /// <param name="sendsAgent">False: the agent's section stays its own, and is inactive now.</param>
    /// <exception cref="SdpException">It cannot be answered, or does not continue what went before.</exception>
    public static Negotiation Decide(SdpSession offer, Negotiation? previous, int maxMicrophones, bool allowsNack = false, bool sendsAgent = true)
    {
        CheckSections(offer, previous);
        var bundle = BundledSections(offer);
        if (bundle.Count == 0)
            throw new SdpException("The offer has no section that can be used.");
        var transport = bundle[0];
        CheckTransport(transport, previous);

        var audio = bundle.Where(section => section is { Kind: SdpMediaKind.Audio, Opus: not null }).ToList();
        var agentMid = audio.Any(section => section.Mid == previous?.AgentMid) ? previous?.AgentMid : audio.FirstOrDefault(section => section.ClientReceives)?.Mid;
        var microphones = audio.Where(section => section.ClientSends)
            .OrderBy(section => previous is not null && previous.Microphones.Any(former => former.Offered.Mid == section.Mid) ? 0 : 1)
            .Take(maxMicrophones).ToHashSet();
        var data = bundle.FirstOrDefault(section => section.IsDataChannel);

        SectionUse Use(SdpMedia section)
        {
            if (section == data)
                return SectionUse.Data;
            if (!bundle.Contains(section) || section.IsDataChannel)
                return SectionUse.Rejected;
            var sends = sendsAgent && section.Mid == agentMid && section.ClientReceives;
            var receives = microphones.Contains(section);
            return sends ? receives ? SectionUse.SendReceive : SectionUse.Send : receives ? SectionUse.Receive : SectionUse.Inactive;
        }
        var sections = offer.Media.Select(section => new NegotiatedSection(section, Use(section)) { HasNack = allowsNack && section is { HasFeedback: true, Opus.HasNack: true } }).ToList();
        return new Negotiation
        {
            Sections = sections,
            Transport = transport,
            AgentMid = agentMid,
            IsDtlsClient = previous?.IsDtlsClient ?? transport.Setup is not SdpSetup.Active and not SdpSetup.Unspecified,
            AllowsMixedExtensions = offer.AllowsMixedExtensions,
            Bundle = [.. bundle.Where(section => section == data || !section.IsDataChannel).Select(section => section.Mid!)],
        };
    }

    /// <summary>Sections never vanish nor change their mid, unless a rejected one is used again for something else (RFC 9429 §5.2.2).</summary>
    private static void CheckSections(SdpSession offer, Negotiation? previous)
    {
        if (offer.IsIceLite)
            throw new SdpException("Both sides are ICE-lite: nobody would start the checks.");
        for (var i = 0; i < offer.Media.Count; i++)
        {
            var section = offer.Media[i];
            if (section.Mid is null && !section.IsRejected)
                throw new SdpException($"Section {i} has no mid.");
            if (previous is null || i >= previous.Sections.Count || previous.Sections[i].Use == SectionUse.Rejected || section.IsRejected)
                continue;
            var former = previous.Sections[i].Offered;
            if (former.Mid != section.Mid || former.Kind != section.Kind)
                throw new SdpException($"Section {i} was mid {former.Mid} before and is {section.Mid} now.");
        }
        if (offer.Media.Count < previous?.Sections.Count)
            throw new SdpException("The offer has fewer sections than the one before.");
    }

    /// <summary>What can share the one transport, in the order of the group. Without a group that is the first usable section alone (RFC 9143 §7.3).</summary>
    private static List<SdpMedia> BundledSections(SdpSession offer)
    {
        var usable = offer.Media.Where(IsUsable);
        if (offer.Bundle.Count == 0)
            return [.. usable.Where(section => !section.IsBundleOnly).Take(1)];
        var byMid = usable.ToDictionary(section => section.Mid!);
        return [.. offer.Bundle.Distinct().Where(byMid.ContainsKey).Select(mid => byMid[mid])];
    }

    private static bool IsUsable(SdpMedia section) => !section.IsRejected
        && (section.IsDataChannel && section.SctpPort is null or 5000
            || section is { Kind: SdpMediaKind.Audio or SdpMediaKind.Video, IsSecureRtp: true, IsRtcpMultiplexed: true });

    private static void CheckTransport(SdpMedia transport, Negotiation? previous)
    {
        if (transport.UsernameFragment is null || transport.Password is null)
            throw new SdpException("The offer has no ice-ufrag and ice-pwd.");
        if (transport.Fingerprint is null)
            throw new SdpException("The offer has no sha-256 fingerprint.");
        if (previous is null)
            return;
        if (transport.Fingerprint != previous.Transport.Fingerprint)
            throw NewConnection("The fingerprint changed");
        // Chromium then makes a new transport, with ICE and DTLS from the start, though its description says nothing of it.
        if (transport.Mid != previous.Transport.Mid && transport.UsernameFragment != previous.Transport.UsernameFragment)
            throw NewConnection("The section that led the bundle was stopped");
        if (transport.Setup == (previous.IsDtlsClient ? SdpSetup.Active : SdpSetup.Passive))
            throw NewConnection("The setup role changed");
    }

    private static SdpException NewConnection(string why) => new($"{why}: that needs a new connection.") { NeedsNewConnection = true };
}
