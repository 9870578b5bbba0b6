namespace VoiceGrains.WebRtc.Sdp;

/// <summary>
/// Reads an offer (RFC 8866 §9) from an untrusted client. What a browser may write and this server does not use is skipped; what it uses must be well formed.
/// Lines may end in LF alone.
/// </summary>
internal ref struct SdpParser
{
    /// <summary>Longest offer, in characters. Chromium's with eight sections has 20,000.</summary>
    public const int MaxLength = 65_536;
    public const int MaxSections = 64;

    /// <summary>Most formats, extensions, SSRCs and candidates of one section; of the last three further ones are skipped.</summary>
    public const int MaxPerSection = 128;

    private readonly SdpSession _session = new();
    private readonly List<SdpMedia> _sections = [];
    private readonly HashSet<string> _mids = new(StringComparer.Ordinal);

    /// <summary>Attributes before the first m-line; each section begins with them.</summary>
    private readonly SdpMedia _common = new() { Kind = SdpMediaKind.Other, KindName = "", Port = 0, Protocol = "", Formats = [] };
    private int _line;

    public SdpParser()
    {
    }

    /// <exception cref="SdpException">Says what is wrong and in which line (from 1).</exception>
    public static SdpSession Parse(ReadOnlySpan<char> sdp)
    {
        if (sdp.Length > MaxLength)
            throw new SdpException($"The SDP is longer than {MaxLength} characters.") { IsTooLarge = true };
        return new SdpParser().Read(sdp);
    }

    private SdpSession Read(ReadOnlySpan<char> sdp)
    {
        while (!sdp.IsEmpty)
        {
            var end = sdp.IndexOf('\n');
            var line = end < 0 ? sdp : sdp[..end];
            sdp = end < 0 ? default : sdp[(end + 1)..];
            _line++;
            ReadLine(line is [.., '\r'] ? line[..^1] : line);
        }
        if (_line == 0)
            throw new SdpException("The SDP is empty.");
        _session.Media = _sections;
        return _session;
    }

    private void ReadLine(ReadOnlySpan<char> line)
    {
        if (line.ContainsAnyInRange('\0', '\b') || line.ContainsAnyInRange('\n', '\x1f'))
            throw Fault("a control character");
        if (_line == 1)
        {
            if (line is not "v=0")
                throw Fault("must be v=0");
            return;
        }
        if (line.IsEmpty)
            return;
        if (line.Length < 2 || line[1] != '=')
            throw Fault("is not of the form x=...");
        if (line[0] == 'm')
            StartSection(line[2..]);
        else if (line[0] == 'a')
            ReadAttribute(line[2..]);
    }

    /// <summary>media SP port ["/" count] SP proto 1*(SP fmt), RFC 8866 §5.14.</summary>
    private void StartSection(ReadOnlySpan<char> value)
    {
        if (_sections.Count == MaxSections)
            throw new SdpException($"SDP line {_line}: more than {MaxSections} media sections.") { IsTooLarge = true };
        var kind = SdpText.NextWord(ref value);
        var port = SdpText.NextWord(ref value);
        if (port.IndexOf('/') is >= 0 and var slash)
            port = port[..slash];
        if (kind.IsEmpty || !SdpText.TryNumber(port, 65_535, out var portNumber))
            throw Fault("an m-line without a media word and a port");
        var protocol = SdpText.NextWord(ref value).ToString();
        var formats = new List<string>();
        while (SdpText.NextWord(ref value) is { IsEmpty: false } format)
        {
            if (formats.Count == MaxPerSection)
                throw Fault($"more than {MaxPerSection} formats in one section");
            formats.Add(format.ToString());
        }
        if (formats.Count == 0)
            throw Fault("an m-line without a protocol and a format");

        var section = new SdpMedia
        {
            Kind = kind switch { "audio" => SdpMediaKind.Audio, "video" => SdpMediaKind.Video, "application" => SdpMediaKind.Application, _ => SdpMediaKind.Other },
            KindName = kind.ToString(),
            Port = portNumber,
            Protocol = protocol,
            Formats = formats,
            Direction = _common.Direction,
            UsernameFragment = _common.UsernameFragment,
            Password = _common.Password,
            Fingerprint = _common.Fingerprint,
            Setup = _common.Setup,
        };
        section.Extensions.AddRange(_common.Extensions);
        if (section.IsSecureRtp)
            AddCodecs(section);
        _sections.Add(section);
    }

    private readonly void AddCodecs(SdpMedia section)
    {
        foreach (var format in section.Formats)
        {
            if (!SdpText.TryNumber(format, 127, out var payloadType))
                throw Fault("a payload type that is not a number from 0 to 127");
            if (section.Codec(payloadType) is null)
                section.Codecs.Add(new SdpCodec((byte)payloadType));
        }
    }

    private void ReadAttribute(ReadOnlySpan<char> attribute)
    {
        var colon = attribute.IndexOf(':');
        var name = colon < 0 ? attribute : attribute[..colon];
        var value = colon < 0 ? default : attribute[(colon + 1)..];
        if (_sections.Count == 0 && ReadSessionAttribute(name, value))
            return;
        if (name is "mid" && _sections.Count > 0)
            ReadMid(_sections[^1], value);
        else if (SdpAttributes.Read(_sections.Count > 0 ? _sections[^1] : _common, name, value) is { } fault)
            throw Fault(fault);
    }

    private readonly bool ReadSessionAttribute(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "ice-lite":
                _session.IsIceLite = true;
                return true;
            case "extmap-allow-mixed":
                _session.AllowsMixedExtensions = true;
                return true;
            case "group":
                if (SdpText.NextWord(ref value) is "BUNDLE" && _session.Bundle.Count == 0)
                    _session.Bundle = [.. value.ToString().Split(' ', MaxSections + 1, StringSplitOptions.RemoveEmptyEntries).Take(MaxSections)];
                return true;
            default:
                return false;
        }
    }

    private readonly void ReadMid(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (!SdpText.IsToken(value) || value.Length > 64)
            throw Fault("a mid must be a token of 1 to 64 characters");
        if (section.Mid is not null || !_mids.Add(value.ToString()))
            throw Fault("a mid is used twice");
        section.Mid = value.ToString();
    }

    private readonly SdpException Fault(string what) => new($"SDP line {_line}: {what}.");
}
