-- Releases before this one do not look into tiers.
DO $body$
BEGIN
  IF EXISTS (SELECT FROM tiers) THEN
    RAISE EXCEPTION 'days were downsampled, which releases before this migration can not read: restore a backup from before it';
  END IF;
END $body$;
DROP TABLE tiers, tier_days;
