BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE blobs (
	sha256 VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	media_type VARCHAR(64) NOT NULL, 
	lane VARCHAR(63) NOT NULL, 
	case_id VARCHAR(64) NOT NULL, 
	stored_ms BIGINT NOT NULL, 
	CONSTRAINT pk_blobs PRIMARY KEY (sha256)
);
CREATE TABLE cases (
	case_id VARCHAR(64) NOT NULL, 
	lane VARCHAR(63) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	opened_ms BIGINT NOT NULL, 
	closed_ms BIGINT, 
	waiting_since_ms BIGINT, 
	revision INTEGER NOT NULL, 
	evidence_digest VARCHAR(64), 
	was_referred BOOLEAN NOT NULL, 
	outcome VARCHAR(32), 
	document_to_entry_ms FLOAT, 
	face_to_exit_ms FLOAT, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_cases PRIMARY KEY (case_id)
);
CREATE TABLE commands (
	seq BIGINT NOT NULL, 
	jti VARCHAR(64) NOT NULL, 
	lane VARCHAR(63) NOT NULL, 
	act VARCHAR(32) NOT NULL, 
	author VARCHAR(64) NOT NULL, 
	case_id VARCHAR(64), 
	occupancy_id TEXT, 
	evidence_digest VARCHAR(64), 
	issued_ms BIGINT NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	note TEXT NOT NULL, 
	token TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	settled_ms BIGINT, 
	reason TEXT NOT NULL, 
	release_key VARCHAR(80), 
	CONSTRAINT pk_commands PRIMARY KEY (seq), 
	CONSTRAINT uq_commands_jti UNIQUE (jti), 
	CONSTRAINT uq_commands_release_key UNIQUE (release_key)
);
CREATE TABLE declarations (
	issuer VARCHAR(8) NOT NULL, 
	document_number VARCHAR(32) NOT NULL, 
	declaration_id VARCHAR(32) NOT NULL, 
	author VARCHAR(64) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_declarations PRIMARY KEY (issuer, document_number), 
	CONSTRAINT uq_declarations_declaration_id UNIQUE (declaration_id)
);
CREATE TABLE events (
	id VARCHAR(32) NOT NULL, 
	lane VARCHAR(63) NOT NULL, 
	sequence BIGINT NOT NULL, 
	type VARCHAR(64) NOT NULL, 
	time_ms BIGINT NOT NULL, 
	received_ms BIGINT NOT NULL, 
	case_id VARCHAR(64), 
	body TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id)
);
INSERT INTO "events" VALUES('4645e51f6d530380a8042ab18d3dfac1','lane-1',1,'tongguan.crossing.started',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"4645e51f6d530380a8042ab18d3dfac1","source":"/p/lane-1","type":"tongguan.crossing.started","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":1,"data":{"case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('8471d1ff7f211a879feecb897943a9da','lane-1',2,'tongguan.evidence.recorded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"8471d1ff7f211a879feecb897943a9da","source":"/p/lane-1","type":"tongguan.evidence.recorded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":2,"data":{"revision":1,"digest":"1f550028ce2164bfff3b48501d0454efc876d3ac215b8f24e812698cdc168c90","evidence":{"port":"p","lane":"lane-1","case_id":"lane-1-0","revision":1,"occupancy_id":null,"findings":[{"code":"document.present","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"90ac381348d39e7c19821d8ffe939a750d02a5ccc00c0fb7bb45577e3d558835","detail":""},{"code":"document.type","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"6e9bd0c4f872a9fdc26430dd91571d51802fe55a9b9be7699d6c9cfcac2208ac","detail":""},{"code":"document.expiry","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"fd583705cf96cacf9d8e6931e6a1ddf74c7a9db53d8ab0a439260dd78184152b","detail":""},{"code":"document.check_digits","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"b50317f0576b91edba710cbc902152ac12f317aae53a4f94c106481c95e87de7","detail":""},{"code":"document.visual_zone","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"ea2e460e9ed566bd622ce2b0802657e28f27636288199a72e4e69c7441669700","detail":""},{"code":"document.raster","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"2a667da09d01e068f2d175e3416adfe5c96424af90072d9d675021e8103a9fcf","detail":""},{"code":"document.photocopy","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d03a4b0ab0335c7b43d3e281f90fa209de4426a845e94b45c190bf943155cec2","detail":""},{"code":"document.sheet","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"4c3937b443042241766923e6ffad1f3e2635475a622ce84bd1339c2a31a650d4","detail":""},{"code":"chip.passive_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e02beb2a4621c9abfb869dec51b653c87c94018558f3a581a9717af86e82335c","detail":""},{"code":"chip.active_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"1189b1391941bb35affb4f64e87d13e64288e01b39d38971dd865efee8c8422c","detail":""},{"code":"lookup.watchlist","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d0997b095a41b035abc3dcbe090714f0945c8355be14021f7e2046450e17abbb","detail":""},{"code":"lookup.customs_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"32dabc4edc305763f1a50162ca9faacbd9e234931a8b539757223fa21052b1de","detail":""},{"code":"lookup.health_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d6c0098bbe5f4c2e339f3bff54a71c8f0adbe51e7a8a30ee20ff8ac520ae6780","detail":""}],"attachments":[{"kind":"page","sha256":"ce549de15f3ac0a3b37967f3fc038f08a9344b9427b0ff3b29b7057e6d055845","media_type":"image/jpeg"},{"kind":"portrait","sha256":"01e7906ff02c51dd38e4019d068c63160de6c206607679b52037aa24e2300bec","media_type":"image/jpeg"},{"kind":"private","sha256":"af9b04a488db29dadcd20a858f101ba8a2d49471152f02bb17215ee3d422ad63","media_type":"image/jpeg"}]},"case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('30946aa6d95dd986e9b019675e3c7ed5','lane-1',3,'tongguan.entry.decided',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"30946aa6d95dd986e9b019675e3c7ed5","source":"/p/lane-1","type":"tongguan.entry.decided","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":3,"data":{"is_admitted":true,"reasons":[],"case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('b2308891f8c8b6369b235e5ce8102431','lane-1',4,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"b2308891f8c8b6369b235e5ce8102431","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":4,"data":{"door":"entry","position":"open","purpose":"admit","case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('10c2b763b25d1aff5e3ec58aefa55331','lane-1',5,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"10c2b763b25d1aff5e3ec58aefa55331","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":5,"data":{"door":"entry","position":"closed","purpose":"admit","case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('338a52c6a42dd92614293591b255ec64','lane-1',6,'tongguan.evidence.recorded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"338a52c6a42dd92614293591b255ec64","source":"/p/lane-1","type":"tongguan.evidence.recorded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":6,"data":{"revision":2,"digest":"ae965e50ce6b28b5a383b36480caf90005be409420b729d50eadc2023598c33d","evidence":{"port":"p","lane":"lane-1","case_id":"lane-1-0","revision":2,"occupancy_id":"1-lane-1-0","findings":[{"code":"document.present","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"90ac381348d39e7c19821d8ffe939a750d02a5ccc00c0fb7bb45577e3d558835","detail":""},{"code":"document.type","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"6e9bd0c4f872a9fdc26430dd91571d51802fe55a9b9be7699d6c9cfcac2208ac","detail":""},{"code":"document.expiry","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"fd583705cf96cacf9d8e6931e6a1ddf74c7a9db53d8ab0a439260dd78184152b","detail":""},{"code":"document.check_digits","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"b50317f0576b91edba710cbc902152ac12f317aae53a4f94c106481c95e87de7","detail":""},{"code":"document.visual_zone","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"ea2e460e9ed566bd622ce2b0802657e28f27636288199a72e4e69c7441669700","detail":""},{"code":"document.raster","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"2a667da09d01e068f2d175e3416adfe5c96424af90072d9d675021e8103a9fcf","detail":""},{"code":"document.photocopy","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d03a4b0ab0335c7b43d3e281f90fa209de4426a845e94b45c190bf943155cec2","detail":""},{"code":"document.sheet","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"4c3937b443042241766923e6ffad1f3e2635475a622ce84bd1339c2a31a650d4","detail":""},{"code":"chip.passive_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e02beb2a4621c9abfb869dec51b653c87c94018558f3a581a9717af86e82335c","detail":""},{"code":"chip.active_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"1189b1391941bb35affb4f64e87d13e64288e01b39d38971dd865efee8c8422c","detail":""},{"code":"lookup.watchlist","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d0997b095a41b035abc3dcbe090714f0945c8355be14021f7e2046450e17abbb","detail":""},{"code":"lookup.customs_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"32dabc4edc305763f1a50162ca9faacbd9e234931a8b539757223fa21052b1de","detail":""},{"code":"lookup.health_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d6c0098bbe5f4c2e339f3bff54a71c8f0adbe51e7a8a30ee20ff8ac520ae6780","detail":""},{"code":"person.count","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e8f38e2b27c5791a4f1f92b6d65fc0e4fee0be4535eda00560d5bd2402fa04af","detail":""},{"code":"face.match","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"f9e9f4ceb15765236275ce69a5cdac08d2e380880328108b84fae12cea62564c","detail":""},{"code":"face.presentation","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"01756e69f65042d39f501a4b2bfa793ad80ee8c71bacdf9f147cdae5ff700287","detail":""},{"code":"temperature.reading","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"5d9c6d48397ab409a33e5833b1f934fe63a69c5e983161485126c45b8816aba7","detail":""}],"attachments":[{"kind":"page","sha256":"ce549de15f3ac0a3b37967f3fc038f08a9344b9427b0ff3b29b7057e6d055845","media_type":"image/jpeg"},{"kind":"portrait","sha256":"01e7906ff02c51dd38e4019d068c63160de6c206607679b52037aa24e2300bec","media_type":"image/jpeg"},{"kind":"private","sha256":"af9b04a488db29dadcd20a858f101ba8a2d49471152f02bb17215ee3d422ad63","media_type":"image/jpeg"},{"kind":"live","sha256":"457856fc32362a15f618645a2eac0b885ba89474da17dc5a6960ae0b06f78126","media_type":"image/jpeg"}]},"case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('a0b6a3d9b113244b598c8d9e99ff3860','lane-1',7,'tongguan.crossing.decided',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"a0b6a3d9b113244b598c8d9e99ff3860","source":"/p/lane-1","type":"tongguan.crossing.decided","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":7,"data":{"decision":"clear","reasons":[],"roles":[],"digest":"ae965e50ce6b28b5a383b36480caf90005be409420b729d50eadc2023598c33d","case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('3e96a90988649804116d646084631fe6','lane-1',8,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"3e96a90988649804116d646084631fe6","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":8,"data":{"door":"exit","position":"open","purpose":"release","case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('629b2aeddcb92bf761a05962f8b63ee1','lane-1',9,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"629b2aeddcb92bf761a05962f8b63ee1","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":9,"data":{"door":"exit","position":"closed","purpose":"release","case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('5b708a7191f74fcc8bef350dc4a9c4dd','lane-1',10,'tongguan.crossing.ended',1767225600000,1767225600000,'lane-1-0','{"specversion":"1.0","id":"5b708a7191f74fcc8bef350dc4a9c4dd","source":"/p/lane-1","type":"tongguan.crossing.ended","time":"2026-01-01T00:00:00Z","subject":"lane-1-0","datacontenttype":"application/json","traceparent":"00-9745f806249d3633507682c383eb0a50-dbcb8ad375ba3bf3-01","sequence":10,"data":{"outcome":"cleared","reasons":[],"duration_ms":8200,"document_to_entry_ms":412.5,"face_to_exit_ms":633.25,"inference_ms":390.0,"release_ms":24.0,"case_id":"lane-1-0"}}');
INSERT INTO "events" VALUES('325150eb0c2648ff810ac8684b27bea8','lane-1',11,'tongguan.crossing.started',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"325150eb0c2648ff810ac8684b27bea8","source":"/p/lane-1","type":"tongguan.crossing.started","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":11,"data":{"case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('631e9fd797fe5b80032e655b78424a06','lane-1',12,'tongguan.evidence.recorded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"631e9fd797fe5b80032e655b78424a06","source":"/p/lane-1","type":"tongguan.evidence.recorded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":12,"data":{"revision":1,"digest":"b19591ce1cadb0bc4f6cf7073762aaa9bc166cb94acbd45b13d58e9673e9a7ac","evidence":{"port":"p","lane":"lane-1","case_id":"lane-1-1","revision":1,"occupancy_id":null,"findings":[{"code":"document.present","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"90ac381348d39e7c19821d8ffe939a750d02a5ccc00c0fb7bb45577e3d558835","detail":""},{"code":"document.type","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"6e9bd0c4f872a9fdc26430dd91571d51802fe55a9b9be7699d6c9cfcac2208ac","detail":""},{"code":"document.expiry","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"fd583705cf96cacf9d8e6931e6a1ddf74c7a9db53d8ab0a439260dd78184152b","detail":""},{"code":"document.check_digits","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"b50317f0576b91edba710cbc902152ac12f317aae53a4f94c106481c95e87de7","detail":""},{"code":"document.visual_zone","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"ea2e460e9ed566bd622ce2b0802657e28f27636288199a72e4e69c7441669700","detail":""},{"code":"document.raster","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"2a667da09d01e068f2d175e3416adfe5c96424af90072d9d675021e8103a9fcf","detail":""},{"code":"document.photocopy","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d03a4b0ab0335c7b43d3e281f90fa209de4426a845e94b45c190bf943155cec2","detail":""},{"code":"document.sheet","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"4c3937b443042241766923e6ffad1f3e2635475a622ce84bd1339c2a31a650d4","detail":""},{"code":"chip.passive_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e02beb2a4621c9abfb869dec51b653c87c94018558f3a581a9717af86e82335c","detail":""},{"code":"chip.active_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"1189b1391941bb35affb4f64e87d13e64288e01b39d38971dd865efee8c8422c","detail":""},{"code":"lookup.watchlist","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d0997b095a41b035abc3dcbe090714f0945c8355be14021f7e2046450e17abbb","detail":""},{"code":"lookup.customs_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"32dabc4edc305763f1a50162ca9faacbd9e234931a8b539757223fa21052b1de","detail":""},{"code":"lookup.health_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d6c0098bbe5f4c2e339f3bff54a71c8f0adbe51e7a8a30ee20ff8ac520ae6780","detail":""}],"attachments":[{"kind":"page","sha256":"3bf83877de3c9de4a1fb5385752b18a425e7d636ed43cf1b02c5a676339bac10","media_type":"image/jpeg"},{"kind":"portrait","sha256":"a796e4126cafdf04a567a7e1c433408d439b8458c64316826e453c8313f1f0bc","media_type":"image/jpeg"},{"kind":"private","sha256":"b329a125007154ec0947d0f6171f1786d1efbfa5f00ed98da036a1abcb8aaa75","media_type":"image/jpeg"}]},"case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('f5b07116442b878a0fa2bc879782616a','lane-1',13,'tongguan.entry.decided',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"f5b07116442b878a0fa2bc879782616a","source":"/p/lane-1","type":"tongguan.entry.decided","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":13,"data":{"is_admitted":true,"reasons":[],"case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('c2d0b60b189234a6ce9bc82bb5637078','lane-1',14,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"c2d0b60b189234a6ce9bc82bb5637078","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":14,"data":{"door":"entry","position":"open","purpose":"admit","case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('f92761527f84064e5f1b663387385351','lane-1',15,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"f92761527f84064e5f1b663387385351","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":15,"data":{"door":"entry","position":"closed","purpose":"admit","case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('d199450233c3c84e1bdf3b08b4fe2992','lane-1',16,'tongguan.evidence.recorded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"d199450233c3c84e1bdf3b08b4fe2992","source":"/p/lane-1","type":"tongguan.evidence.recorded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":16,"data":{"revision":2,"digest":"0139a50758e2c1af64010e40b18bacca01f3115d53351fbd59353b87153f998f","evidence":{"port":"p","lane":"lane-1","case_id":"lane-1-1","revision":2,"occupancy_id":"1-lane-1-1","findings":[{"code":"document.present","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"90ac381348d39e7c19821d8ffe939a750d02a5ccc00c0fb7bb45577e3d558835","detail":""},{"code":"document.type","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"6e9bd0c4f872a9fdc26430dd91571d51802fe55a9b9be7699d6c9cfcac2208ac","detail":""},{"code":"document.expiry","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"fd583705cf96cacf9d8e6931e6a1ddf74c7a9db53d8ab0a439260dd78184152b","detail":""},{"code":"document.check_digits","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"b50317f0576b91edba710cbc902152ac12f317aae53a4f94c106481c95e87de7","detail":""},{"code":"document.visual_zone","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"ea2e460e9ed566bd622ce2b0802657e28f27636288199a72e4e69c7441669700","detail":""},{"code":"document.raster","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"2a667da09d01e068f2d175e3416adfe5c96424af90072d9d675021e8103a9fcf","detail":""},{"code":"document.photocopy","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d03a4b0ab0335c7b43d3e281f90fa209de4426a845e94b45c190bf943155cec2","detail":""},{"code":"document.sheet","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"4c3937b443042241766923e6ffad1f3e2635475a622ce84bd1339c2a31a650d4","detail":""},{"code":"chip.passive_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e02beb2a4621c9abfb869dec51b653c87c94018558f3a581a9717af86e82335c","detail":""},{"code":"chip.active_authentication","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"1189b1391941bb35affb4f64e87d13e64288e01b39d38971dd865efee8c8422c","detail":""},{"code":"lookup.watchlist","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d0997b095a41b035abc3dcbe090714f0945c8355be14021f7e2046450e17abbb","detail":""},{"code":"lookup.customs_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"32dabc4edc305763f1a50162ca9faacbd9e234931a8b539757223fa21052b1de","detail":""},{"code":"lookup.health_declaration","outcome":"pass","stage":"entry","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"d6c0098bbe5f4c2e339f3bff54a71c8f0adbe51e7a8a30ee20ff8ac520ae6780","detail":""},{"code":"person.count","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"e8f38e2b27c5791a4f1f92b6d65fc0e4fee0be4535eda00560d5bd2402fa04af","detail":""},{"code":"face.match","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"f9e9f4ceb15765236275ce69a5cdac08d2e380880328108b84fae12cea62564c","detail":""},{"code":"face.presentation","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"01756e69f65042d39f501a4b2bfa793ad80ee8c71bacdf9f147cdae5ff700287","detail":""},{"code":"temperature.reading","outcome":"pass","stage":"exit","role":"border","measured":0.8125,"threshold":0.5,"model_hash":"5d9c6d48397ab409a33e5833b1f934fe63a69c5e983161485126c45b8816aba7","detail":""}],"attachments":[{"kind":"page","sha256":"3bf83877de3c9de4a1fb5385752b18a425e7d636ed43cf1b02c5a676339bac10","media_type":"image/jpeg"},{"kind":"portrait","sha256":"a796e4126cafdf04a567a7e1c433408d439b8458c64316826e453c8313f1f0bc","media_type":"image/jpeg"},{"kind":"private","sha256":"b329a125007154ec0947d0f6171f1786d1efbfa5f00ed98da036a1abcb8aaa75","media_type":"image/jpeg"},{"kind":"live","sha256":"3551baafc3d54eb10b7d53140bc3448911327becaf671486e96d7f29b2d9cc5b","media_type":"image/jpeg"}]},"case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('f8952418ac5951bea76b1655a5e57516','lane-1',17,'tongguan.crossing.decided',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"f8952418ac5951bea76b1655a5e57516","source":"/p/lane-1","type":"tongguan.crossing.decided","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":17,"data":{"decision":"clear","reasons":[],"roles":[],"digest":"0139a50758e2c1af64010e40b18bacca01f3115d53351fbd59353b87153f998f","case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('9bc05603a5da54239fbdbf7d59876bea','lane-1',18,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"9bc05603a5da54239fbdbf7d59876bea","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":18,"data":{"door":"exit","position":"open","purpose":"release","case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('3bde96b2a4ad080a84b3a5f6788d7e15','lane-1',19,'tongguan.door.commanded',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"3bde96b2a4ad080a84b3a5f6788d7e15","source":"/p/lane-1","type":"tongguan.door.commanded","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":19,"data":{"door":"exit","position":"closed","purpose":"release","case_id":"lane-1-1"}}');
INSERT INTO "events" VALUES('8a69831e0442e391aeedb9d88d883542','lane-1',20,'tongguan.crossing.ended',1767225600000,1767225600000,'lane-1-1','{"specversion":"1.0","id":"8a69831e0442e391aeedb9d88d883542","source":"/p/lane-1","type":"tongguan.crossing.ended","time":"2026-01-01T00:00:00Z","subject":"lane-1-1","datacontenttype":"application/json","traceparent":"00-2cd894be56b871ce17e350376ba20bfa-b4fb641647dce48f-01","sequence":20,"data":{"outcome":"cleared","reasons":[],"duration_ms":8200,"document_to_entry_ms":412.5,"face_to_exit_ms":633.25,"inference_ms":390.0,"release_ms":24.0,"case_id":"lane-1-1"}}');
CREATE TABLE lanes (
	lane VARCHAR(63) NOT NULL, 
	event_count BIGINT NOT NULL, 
	last_sequence BIGINT NOT NULL, 
	last_event_ms BIGINT NOT NULL, 
	started_sequence BIGINT NOT NULL, 
	boot_id TEXT, 
	software_version TEXT, 
	CONSTRAINT pk_lanes PRIMARY KEY (lane)
);
CREATE TABLE rejected (
	digest VARCHAR(64) NOT NULL, 
	topic TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	first_ms BIGINT NOT NULL, 
	last_ms BIGINT NOT NULL, 
	CONSTRAINT pk_rejected PRIMARY KEY (digest)
);
CREATE TABLE sessions (
	token_hash VARCHAR(64) NOT NULL, 
	user VARCHAR(64) NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (token_hash), 
	CONSTRAINT fk_sessions_user FOREIGN KEY(user) REFERENCES users (user) ON DELETE CASCADE
);
CREATE TABLE users (
	user VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	roles TEXT NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (user)
);
INSERT INTO "users" VALUES('ann','Ann','x','["customs"]',1);
CREATE TABLE verdicts (
	case_id VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	role VARCHAR(63) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	evidence_digest VARCHAR(64) NOT NULL, 
	author VARCHAR(64) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_verdicts PRIMARY KEY (case_id, number)
);
CREATE TABLE watchlist (
	issuer VARCHAR(8) NOT NULL, 
	document_number VARCHAR(32) NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_watchlist PRIMARY KEY (issuer, document_number)
);
CREATE INDEX ix_events_case_id ON events (case_id);
CREATE INDEX ix_events_lane_sequence ON events (lane, sequence);
CREATE INDEX ix_blobs_case_id ON blobs (case_id);
CREATE INDEX ix_cases_closed_ms ON cases (closed_ms);
CREATE INDEX ix_cases_opened_ms ON cases (opened_ms);
CREATE INDEX ix_cases_status_opened_ms ON cases (status, opened_ms);
CREATE INDEX ix_commands_case_id ON commands (case_id);
CREATE INDEX ix_commands_state ON commands (state);
CREATE INDEX ix_rejected_last_ms ON rejected (last_ms);
CREATE INDEX ix_sessions_user ON sessions (user);
COMMIT;
