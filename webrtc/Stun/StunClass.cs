namespace VoiceGrains.WebRtc.Stun;

/// <summary>Class of a STUN message: its two C bits (RFC 8489 §5).</summary>
internal enum StunClass : byte { Request = 0, Indication = 1, SuccessResponse = 2, ErrorResponse = 3 }
