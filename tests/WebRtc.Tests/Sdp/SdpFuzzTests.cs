using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Sdp;

namespace VoiceGrains.WebRtc.Tests.Sdp;

/// <summary>Damaged offers end in a clear refusal or in an answer that can be read again.</summary>
public sealed class SdpFuzzTests
{
    private static readonly LocalDescription Local = new()
    {
        SessionId = 1,
        Version = 1,
        UsernameFragment = "local",
        Password = "localpasswordlocalpassword",
        Fingerprint = "sha-256 " + string.Join(':', Enumerable.Repeat("AB", 32)),
        Candidates = ["candidate:1 1 udp 1 203.0.113.10 40000 typ host"],
        AgentMsid = new SdpMsid("PA_agent|TR_agent", "TR_agent"),
        AgentSsrc = 1,
        Cname = "agent",
        MaxMessageSize = 65_536,
    };

    [Fact]
    public void DamagedOffers_AreRefusedOrAnswered()
    {
        var offers = SdpOffers.Connections.SelectMany(names => names).Select(SdpOffers.Read).ToList();
        int answered = 0, refused = 0;
        foreach (var seed in FuzzTime.Cases())
        {
            var random = new Random(seed);
            var original = offers[random.Next(offers.Count)];
            var offer = Damage(original, offers, random);
            try
            {
                Negotiate(offer, Damage(original, offers, random));
                answered++;
            }
            catch (SdpException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {seed}:\n{offer}", exception);
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{answered} answered, {refused} refused");
        Assert.True(answered + refused > 0);
    }

    private static void Negotiate(string offer, string next)
    {
        var first = Negotiation.Decide(SdpParser.Parse(offer), null, 2);
        Check(first);
        Check(Negotiation.Decide(SdpParser.Parse(next), first, 2));
    }

    private static void Check(Negotiation negotiation)
    {
        var answer = SdpParser.Parse(SdpAnswer.Write(negotiation, Local));
        Assert.Equal(negotiation.Sections.Select(section => section.Offered.Mid), answer.Media.Select(section => section.Mid));
        Assert.True(answer.Media.Count(section => section.Ssrcs.Count > 0) <= 1);
    }

    /// <summary>Lines dropped, doubled, swapped or taken from another offer; characters changed; the end cut off.</summary>
    private static string Damage(string original, List<string> offers, Random random)
    {
        var lines = original.Split("\r\n").ToList();
        for (var count = random.Next(4); count > 0; count--)
        {
            var at = random.Next(lines.Count);
            switch (random.Next(6))
            {
                case 0: lines.RemoveAt(at); break;
                case 1: lines.Insert(at, lines[random.Next(lines.Count)]); break;
                case 2: lines[at] = Pick(offers[random.Next(offers.Count)].Split("\r\n"), random); break;
                case 3: lines[at] = Mutate(lines[at], random); break;
                case 4 when random.Next(4) == 0: lines = lines[..(at + 1)]; break;
                default: (lines[at], lines[^1]) = (lines[^1], lines[at]); break;
            }
            if (lines.Count == 0)
                lines.Add("");
        }
        return string.Join("\r\n", lines);
    }

    private static string Mutate(string line, Random random)
    {
        const string Odd = "\0\t\n\r :/=;-+{}|é9999999999999999999";
        var chars = line.ToCharArray().ToList();
        for (var count = 1 + random.Next(3); count > 0; count--)
            chars.Insert(random.Next(chars.Count + 1), random.Next(2) == 0 ? Odd[random.Next(Odd.Length)] : (char)random.Next(0x100));
        return random.Next(4) == 0 ? line[..random.Next(line.Length + 1)] : string.Concat(chars);
    }

    private static string Pick(string[] lines, Random random) => lines[random.Next(lines.Length)];
}
