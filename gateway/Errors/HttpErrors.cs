using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Errors;

/// <summary>Refusals that HTTP itself knows.</summary>
public static class HttpErrors
{
    public static readonly ErrorCode ParseError = new("parse_error", 400, "Malformed request");
    public static readonly ErrorCode NotAcceptable = new("not_acceptable", 406, "No such representation");
    public static readonly ErrorCode TooSlow = new("request_timeout", 408, "Request too slow");
    public static readonly ErrorCode TooLarge = new("request_too_large", 413, "Request too large");
    public static readonly ErrorCode UnsupportedMediaType = new("unsupported_media_type", 415, "Unsupported media type");
    public static readonly ErrorCode RateLimited = new("throttled", 429, "Too many requests");
    public static readonly ErrorCode NotImplemented = new("not_implemented", 501, "Not served by this version");
    public static readonly ErrorCode NotAuthenticated = new("not_authenticated", 401, "No credentials");
    public static readonly ErrorCode BearerRefused = new("authentication_failed", 401, "Credentials refused");
    public static readonly ErrorCode KeyRefused = new("authentication_failed", 403, "Credentials refused");
}
